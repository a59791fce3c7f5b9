internal import ModelRuntime
internal import Threads

/// Gathers values from any thread and lets a test wait for them.
package final class Collected<Value: Sendable>: Sendable {
    private let state = Locked<[Value]>([])
    private let changed = Signal()

    package init() {}

    package func add(_ value: Value) {
        state.withLock { $0.append(value) }
        changed.notify()
    }

    /// What has come so far, in order.
    package var values: [Value] { state.withLock { $0 } }

    /// Waits until that many have come, without blocking a thread of the pool.
    package func wait(for count: Int) async -> [Value] {
        await offPool { self.wait(for: count) }
    }

    /// Blocks until that many have come.
    package func wait(for count: Int) -> [Value] {
        _ = changed.wait(until: nil, clock: SystemClock()) { self.state.withLock { $0.count >= count } }
        return values
    }
}
