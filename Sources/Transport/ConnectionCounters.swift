internal import Synchronization

/// What became of the connections to all ports of a server.
package final class ConnectionCounters: Sendable {
    private let open = Atomic<Int>(0)
    private let refusals = Atomic<UInt64>(0)
    private let pauses = Atomic<UInt64>(0)

    package init() {}

    package var openCount: Int { open.load(ordering: .relaxed) }
    /// Connections that were closed as they came, as there were too many, or no descriptors.
    package var refusedCount: UInt64 { refusals.load(ordering: .relaxed) }
    /// How often accepting rested, as there were no descriptors.
    package var pauseCount: UInt64 { pauses.load(ordering: .relaxed) }

    func opened() { open.wrappingAdd(1, ordering: .relaxed) }

    func closed() { open.wrappingSubtract(1, ordering: .relaxed) }

    func refused() { refusals.wrappingAdd(1, ordering: .relaxed) }

    func paused() { pauses.wrappingAdd(1, ordering: .relaxed) }
}
