import Scheduling
import Testing
import Threads

@testable import ModelRuntime

@Suite("Quantiles")
struct QuantileTests {
    private static let targets = SummaryQuantile.standard

    @Test(
        "The rank of what is shown is off by no more than was asked for, in whatever order values come",
        arguments: 0..<4)
    func ranks(order: Int) throws {
        let count = 20_000
        var sketch = QuantileSketch(Self.targets)
        for index in 0..<count {
            let value =
                switch order {
                case 0: index
                case 1: count - 1 - index
                case 2: index * 7919 % count
                default: index % 2 == 0 ? index : count - index
                }
            sketch.insert(UInt64(value))
        }
        for target in Self.targets {
            let value = sketch.value(at: target.quantile)
            let shown = Double(try #require(value))
            let off = abs(shown - target.quantile * Double(count)) / Double(count)
            #expect(off <= target.error + 0.0005, "\(target.quantile) is off by \(off)")
        }
    }

    @Test("Few values are shown as they are, and none as nothing")
    func few() {
        var sketch = QuantileSketch(Self.targets)
        let none = sketch.value(at: 0.5)
        sketch.insert(7)
        let one = [sketch.value(at: 0.5), sketch.value(at: 0.999)]
        for value in [1, 3, 9, 5] as [UInt64] { sketch.insert(value) }
        let middle = sketch.value(at: 0.5)
        #expect(none == nil && one == [7, 7] && middle == 5)
    }

    @Test("What came more than a minute ago is forgotten, what came within 48 seconds is not")
    func window() {
        let second: UInt64 = 1_000_000_000
        var recent = RecentQuantiles(Self.targets, now: 0)
        recent.insert(5, now: 0)
        let early = recent.values(at: Self.targets, now: 47 * second)
        recent.insert(9, now: 50 * second)
        let later = recent.values(at: Self.targets, now: 61 * second)
        let none = recent.values(at: Self.targets, now: 1000 * second)
        #expect(early.first == 5 && later == [9, 9, 9, 9, 9] && none == [nil, nil, nil, nil, nil])
    }

    @Test("A collector shows quantiles of each stage in microseconds, and none where nobody asked")
    func collector() throws {
        let clock = StandingClock()
        let collector = StatisticsCollector(name: "m", version: 1, quantiles: Self.targets, clock: clock)
        collector.recordSuccess(
            batchSize: 1, reason: .full, arrivals: [1000],
            stages: StatisticsCollector.Stages(start: 3000, inferenceStart: 6000, inferenceEnd: 10_000, end: 15_000))
        let quantiles = try #require(collector.snapshot().quantiles)
        #expect(quantiles.values[.queue]?.first == 2 && quantiles.values[.request]?.first == 14)
        #expect(quantiles.values[.computeInput]?.first == 3 && quantiles.values[.computeInfer]?.first == 4)
        #expect(quantiles.values[.computeOutput]?.first == 5 && quantiles.values[.cacheHit]?.first == .some(nil))
        #expect(StatisticsCollector(name: "m", version: 1).snapshot().quantiles == nil)
    }
}

private struct StandingClock: MonotonicClock {
    func now() -> UInt64 { 0 }
}
