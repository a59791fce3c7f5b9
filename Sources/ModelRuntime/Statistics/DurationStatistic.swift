/// How often something happened, and how long it took altogether.
public struct DurationStatistic: Hashable, Sendable {
    /// How often it happened.
    public var count: UInt64 = 0
    /// ``total`` in nanoseconds, as the clocks count them.
    package var nanoseconds: UInt64 = 0

    /// Something that has not happened yet.
    public init() {}

    package init(count: UInt64 = 0, nanoseconds: UInt64) {
        self.count = count
        self.nanoseconds = nanoseconds
    }

    package mutating func add(_ nanoseconds: UInt64, times: UInt64 = 1) {
        count &+= times
        self.nanoseconds &+= nanoseconds
    }

    /// How long it took altogether.
    public var total: Duration { .nanoseconds(Int64(clamping: nanoseconds)) }

    /// How long it took once, on average; zero where nothing happened.
    public var mean: Duration { count == 0 ? .zero : .nanoseconds(Double(nanoseconds) / Double(count)) }
}
