/// Time that only goes forward, in nanoseconds since an arbitrary moment.
public protocol MonotonicClock: Sendable {
    /// The time now. It may be called from any thread.
    func now() -> UInt64
}
