/// Time that only goes forward, in nanoseconds since an arbitrary moment.
public protocol MonotonicClock: Sendable {
    func now() -> UInt64
}
