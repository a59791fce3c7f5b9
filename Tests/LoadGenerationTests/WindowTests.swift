import LoadGeneration
import Testing

@Suite("Windows and what they count")
struct WindowTests {
    private func window(_ requests: Int, ms: UInt64 = 10, seconds: Double = 1) -> Window {
        var counts = LoadCounts()
        for _ in 0..<requests { counts.succeeded(ms * 1_000_000) }
        return Window(seconds: seconds, counts: counts)
    }

    @Test("Three windows in a row that agree end it")
    func agreement() {
        let rule = Steadiness()
        #expect(rule.decision([window(50), window(100)]) == .more)
        #expect(rule.decision([window(100), window(105), window(95)]) == .steady)
        #expect(rule.decision([window(50), window(100), window(104)]) == .more)
        #expect(rule.decision([window(50), window(100), window(104), window(96)]) == .steady)
    }

    @Test("Windows that agree on throughput and not on latency do not agree")
    func latency() {
        #expect(Steadiness().decision([window(100, ms: 10), window(100, ms: 10), window(100, ms: 14)]) == .more)
    }

    @Test("Windows without a request never agree, and after the last it is said so")
    func never() {
        let empty = Array(repeating: window(0), count: 9)
        #expect(Steadiness().decision(empty) == .more)
        #expect(Steadiness().decision(empty + [window(0)]) == .unsteady)
    }

    @Test("Of many windows those count that agree")
    func counted() {
        let windows = [window(10), window(100), window(101), window(99)]
        let merged = Window.merged(Steadiness().counted(windows))
        #expect(merged.counts.requests == 300)
        #expect(merged.rate == 100)
    }

    @Test("A slow model's window lasts until there is something to look at, but not for ever")
    func length() {
        let rule = WindowLength(interval: 1000)
        #expect(!rule.isOver(elapsed: 999, requests: 100))
        #expect(rule.isOver(elapsed: 1000, requests: 10))
        #expect(!rule.isOver(elapsed: 5000, requests: 9))
        #expect(rule.isOver(elapsed: 10_000, requests: 0))
    }

    @Test("Percentiles are within a thousandth, mean and largest exact")
    func histogram() {
        var histogram = LatencyHistogram()
        for value in 1...10_000 { histogram.record(UInt64(value) * 1000) }
        for percent in [50.0, 90, 99, 99.9] {
            let expected = percent * 100_000
            #expect(abs(Double(histogram.percentile(percent)) - expected) <= expected / 500)
        }
        #expect(histogram.mean == 5_000_500)
        #expect(histogram.largest == 10_000_000)
        #expect(histogram.percentile(100) == 10_000_000)
        histogram.record(.max)
        #expect(histogram.largest == .max)
        #expect(LatencyHistogram().percentile(99) == 0)
    }

    @Test("Kinds of errors are counted, and there are not any number of them")
    func errors() {
        var counts = LoadCounts()
        for kind in 0..<30 { counts.failed("kind \(kind)") }
        counts.failed("kind 3", times: 5)
        #expect(counts.errorCount == 35)
        #expect(counts.errors["kind 3"] == 6)
        #expect(counts.errors["other errors"] == 10)
        var sum = LoadCounts()
        sum.add(counts)
        sum.add(counts)
        #expect(sum.errorCount == 70)
    }

    private func server(_ count: UInt64, batches: [Int: UInt64]) -> ServerCounts {
        var counts = ServerCounts()
        counts.inferences = count
        counts.executions = batches.values.reduce(0, +)
        counts.success = .init(count: count, nanoseconds: count * 10)
        counts.queue = .init(count: count, nanoseconds: count * 4)
        counts.batches = batches
        return counts
    }

    @Test("Statistics between two looks")
    func difference() {
        let delta = server(30, batches: [1: 6, 4: 6]).since(server(10, batches: [1: 6, 4: 1]))
        #expect(delta.inferences == 20)
        #expect(delta.batches == [4: 5])
        #expect(delta.meanBatch == 4)
        #expect(delta.largestBatch == 4)
        #expect(delta.queue.mean == 4)
        // A server that has been restarted meanwhile.
        #expect(server(3, batches: [1: 3]).since(server(10, batches: [1: 10])).success.count == 3)
    }

    @Test("What is left of the latency is the way")
    func stages() {
        var counts = LoadCounts()
        counts.succeeded(100)
        let result = LevelResult(
            load: .concurrency(1), batch: 2, steady: .yes,
            window: Window(seconds: 2, counts: counts, server: server(10, batches: [1: 10])))
        #expect(result.stages.map(\.name) == ["queue", "input", "infer", "output", "wire and client"])
        #expect(result.stages.map(\.nanoseconds) == [4, 0, 0, 0, 96])
        #expect(result.inferencesPerSecond == 1)
    }
}
