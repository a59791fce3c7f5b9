/// When a worker that is gone is replaced: at once the first time, and after a growing pause where the new one ends too
/// before it has executed anything. As a value; times are nanoseconds.
struct RestartPolicy: Equatable {
    private static let first: UInt64 = 250_000_000
    private static let longest: UInt64 = 30_000_000_000

    /// Workers in a row that came to nothing.
    private(set) var failures = 0

    /// - Parameter hasExecuted: whether the one that is gone had executed a batch to its end.
    /// - Returns: when the next may be started.
    mutating func lost(hasExecuted: Bool, now: UInt64) -> UInt64 {
        failures = hasExecuted ? 1 : failures + 1
        return now &+ pause
    }

    private var pause: UInt64 {
        guard failures > 1 else { return 0 }
        return min(Self.first << UInt64(min(failures - 2, 16)), Self.longest)
    }
}
