private import Histogram

/// The spread of durations, in nanoseconds, with three digits.
package struct LatencyHistogram: Sendable {
    /// Ten minutes; what takes longer counts as that.
    private static let longest: UInt64 = 600_000_000_000

    private var histogram = Histogram<UInt32>(
        lowestDiscernibleValue: 1, highestTrackableValue: longest, numberOfSignificantValueDigits: .three)
    /// The exact sum and the exact largest, as the histogram rounds.
    private var sum = 0.0
    package private(set) var largest: UInt64 = 0

    package init() {}

    package mutating func record(_ nanoseconds: UInt64) {
        histogram.record(min(nanoseconds, Self.longest))
        sum += Double(nanoseconds)
        largest = max(largest, nanoseconds)
    }

    package mutating func add(_ other: LatencyHistogram) {
        guard other.count > 0 else { return }
        histogram.add(other.histogram)
        sum += other.sum
        largest = max(largest, other.largest)
    }

    package var count: UInt64 { histogram.totalCount }

    /// 0 without any.
    package var mean: Double { count == 0 ? 0 : sum / Double(count) }

    /// The duration that so many in a hundred do not exceed; 0 without any.
    package func percentile(_ percent: Double) -> UInt64 {
        count == 0 ? 0 : min(histogram.valueAtPercentile(percent), largest)
    }
}
