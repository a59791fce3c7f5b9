/// How often something happened, and how long it took altogether.
public struct DurationStatistic: Hashable, Sendable {
    public var count: UInt64 = 0
    public var nanoseconds: UInt64 = 0

    public init(count: UInt64 = 0, nanoseconds: UInt64 = 0) {
        self.count = count
        self.nanoseconds = nanoseconds
    }

    package mutating func add(_ nanoseconds: UInt64, times: UInt64 = 1) {
        count &+= times
        self.nanoseconds &+= nanoseconds
    }

    /// The mean in nanoseconds; 0 where nothing happened.
    public var mean: Double { count == 0 ? 0 : Double(nanoseconds) / Double(count) }
}
