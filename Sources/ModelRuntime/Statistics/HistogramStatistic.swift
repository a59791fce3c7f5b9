/// How values were spread: for each bucket, how many fell into it.
///
/// A bucket holds the values above the bound before it, up to and including its own; the last has no bound. Bounds
/// never change, so that the buckets of several servers can be added up.
public struct HistogramStatistic: Hashable, Sendable {
    /// The upper bounds of all buckets but the last, ascending, in the unit of the values.
    public let bounds: [UInt64]
    /// The number of values in each bucket; one more than ``bounds``.
    public private(set) var counts: [UInt64]
    /// The sum of all values.
    public private(set) var sum: UInt64 = 0

    /// - Parameter bounds: ascending.
    public init(bounds: [UInt64]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    /// The number of values.
    public var count: UInt64 { counts.reduce(0, &+) }

    /// For each bucket, the number of values in it and in those before it; the last is ``count``.
    public var cumulativeCounts: [UInt64] {
        var total: UInt64 = 0
        return counts.map { count in
            total &+= count
            return total
        }
    }

    /// Counts a value, by halving the bounds: five steps for a duration, and no memory.
    package mutating func record(_ value: UInt64, times: UInt64 = 1) {
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < value { low = middle + 1 } else { high = middle }
        }
        counts[low] &+= times
        sum &+= value &* times
    }
}

extension HistogramStatistic {
    /// 10 µs to 10 s in steps of 1, 2 and 5, in nanoseconds: from a small model called in process to a request that
    /// waited too long.
    public static let durationBounds: [UInt64] = [
        10_000, 20_000, 50_000,
        100_000, 200_000, 500_000,
        1_000_000, 2_000_000, 5_000_000,
        10_000_000, 20_000_000, 50_000_000,
        100_000_000, 200_000_000, 500_000_000,
        1_000_000_000, 2_000_000_000, 5_000_000_000,
        10_000_000_000,
    ]

    /// Triton's buckets of the time to the first response, in milliseconds.
    public static let firstResponseBounds: [Double] = [100, 500, 2000, 5000]

    /// Powers of two from 1 to 1024, in items.
    public static let batchSizeBounds: [UInt64] = (0...10).map { 1 << $0 }
}
