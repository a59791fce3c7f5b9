private import CPlatform

/// Where one thread sleeps until another lets it go on. An ``unpark()`` that comes first is kept.
package final class Parker: Sendable {
    private nonisolated(unsafe) let state: halcyon_parker

    package init() { state = halcyon_parker_create() }

    deinit { halcyon_parker_destroy(state) }

    package func unpark() { halcyon_unpark(state) }

    /// Only the one thread that owns the parker calls this. The deadline is in nanoseconds of the system's monotonic
    /// clock; `nil` for none.
    package func park(until deadline: UInt64? = nil) { _ = halcyon_park(state, deadline ?? .max) }
}

/// The parker that belongs to a thread, for a caller that blocks: nothing to allocate, nothing to free.
package struct ThreadParker: @unchecked Sendable {
    private let state: halcyon_parker

    /// The calling thread's own.
    package static var current: ThreadParker { ThreadParker(state: halcyon_parker_of_thread()) }

    package func unpark() { halcyon_unpark(state) }

    /// Only the thread that the parker belongs to calls this.
    package func park() { _ = halcyon_park(state, .max) }
}
