import ModelRuntime
import Testing

@Suite("Histogram")
struct HistogramTests {
    @Test("A value that equals a bound is in its bucket, one above it is in the next, and the last has no bound")
    func edges() {
        let values: [(UInt64, bucket: Int)] = [
            (0, 0), (1, 0), (9, 0), (10, 0), (11, 1), (20, 1), (21, 2), (50, 2), (51, 3), (UInt64.max, 3),
        ]
        for (value, bucket) in values {
            var histogram = HistogramStatistic(bounds: [10, 20, 50])
            histogram.record(value)
            #expect(histogram.counts.firstIndex(of: 1) == bucket, "\(value)")
            #expect(histogram.count == 1 && histogram.sum == value)
        }
    }

    @Test("Every bound, and what is next to it, is found by halving as by looking at each")
    func search() {
        for bounds in [HistogramStatistic.durationBounds, HistogramStatistic.batchSizeBounds, [7], []] {
            for value in bounds.flatMap({ [$0 - 1, $0, $0 + 1] }) {
                var histogram = HistogramStatistic(bounds: bounds)
                histogram.record(value)
                let expected = bounds.firstIndex { value <= $0 } ?? bounds.count
                #expect(histogram.counts.firstIndex(of: 1) == expected, "\(value)")
            }
        }
    }

    @Test("A value that came several times counts as often, and buckets add up from the first to the last")
    func cumulative() {
        var histogram = HistogramStatistic(bounds: [10, 20])
        histogram.record(5, times: 2)
        histogram.record(15)
        histogram.record(100, times: 3)
        #expect(histogram.counts == [2, 1, 3])
        #expect(histogram.cumulativeCounts == [2, 3, 6])
        #expect(histogram.count == 6 && histogram.sum == 325)
    }

    @Test("Buckets of responses may begin below 0, and be finer than a nanosecond or greater than all time")
    func anyBounds() {
        var latencies = LatencyHistograms(firstResponseBounds: [-2, -1, 0, 0.0000005, 1, 1e300])
        #expect(latencies.firstResponse.bounds == [0, 0, 1_000_000, .max])
        for value in [0, 1, 1_000_000, 1_000_001] as [UInt64] { latencies.firstResponse.record(value) }
        #expect(latencies.firstResponse.cumulativeCounts == [1, 1, 3, 4, 4])
    }

    @Test("The fixed bounds ascend, and Triton's are among those of times")
    func fixedBounds() {
        for bounds in [HistogramStatistic.durationBounds, HistogramStatistic.batchSizeBounds] {
            #expect(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 })
        }
        for milliseconds in [100, 500, 2000, 5000] as [UInt64] {
            #expect(HistogramStatistic.durationBounds.contains(milliseconds * 1_000_000))
        }
    }
}
