import HalcyonTestKit
import ModelConfigurations
import ModelRuntime
import Scheduling
import Tensors
import Testing

private typealias Outcome = Result<InferenceResponse, HalcyonError>

extension ExecutorFixture {
    fileprivate func submit(_ request: InferenceRequest, to outcomes: Collected<Outcome>) -> (any SubmittedRequest)? {
        executor.submit(request, from: .nonBlocking) { outcomes.add($0) }
    }

    fileprivate var statistics: ModelStatistics { executor.statistics.snapshot() }
}

@Suite("Statistics of a model version")
struct StatisticsTests {
    @Test("An engine that throws, and one that breaks its promise, are the backend's failures")
    func backendFailures() throws {
        let fixture = try ExecutorFixture(ExecutorFixture.configuration()) { batch, _ in
            if batch.batchSize == 2 { throw HalcyonError(.internal, "engine says no") }
            return []
        }
        let outcomes = Collected<Outcome>()
        _ = fixture.submit(try ExecutorFixture.request(1, items: 2), to: outcomes)
        _ = fixture.submit(try ExecutorFixture.request(1), to: outcomes)
        _ = outcomes.wait(for: 2)
        #expect(fixture.statistics.failures == [.backend: 2])
        #expect(fixture.statistics.rejections.isEmpty && fixture.statistics.fail.count == 2)
        fixture.stop()
    }

    @Test("A request that does not fit the model fails for another reason than those that have a name")
    func invalidRequest() throws {
        let fixture = try ExecutorFixture(ExecutorFixture.configuration())
        let outcomes = Collected<Outcome>()
        _ = fixture.submit(try ExecutorFixture.request(1, items: 9), to: outcomes)
        #expect(outcomes.wait(for: 1)[0].isInvalid)
        #expect(fixture.statistics.failures == [.other: 1])
        fixture.stop()
    }

    @Test("Requests that were canceled, came to a full queue, waited too long or were dropped are told apart")
    func requestsThatNeverRan() throws {
        let gate = Gate()
        let clock = ManualClock(now: 1_000_000)
        let echo = ScriptedBackend.echo()
        var batching = DynamicBatching()
        batching.defaultQueuePolicy.maxQueueSize = 1
        batching.defaultQueuePolicy.allowTimeoutOverride = true
        let fixture = try ExecutorFixture(ExecutorFixture.configuration(batching: batching), clock: clock) {
            gate.pass()
            return try echo(&$0, $1)
        }
        let outcomes = Collected<Outcome>()
        _ = fixture.submit(try ExecutorFixture.request(1), to: outcomes)
        gate.waitForArrivals(1)
        #expect(fixture.executor.occupancy() == (pendingRequests: 0, busyInstances: 1))

        let pending = try #require(fixture.submit(try ExecutorFixture.request(2), to: outcomes))
        #expect(fixture.executor.occupancy() == (pendingRequests: 1, busyInstances: 1))
        pending.cancel()
        #expect(fixture.statistics.failures == [.canceled: 1] && fixture.statistics.rejections.isEmpty)
        #expect(fixture.executor.occupancy().pendingRequests == 0)

        _ = fixture.submit(try ExecutorFixture.request(3, timeoutMicroseconds: 50), to: outcomes)
        _ = fixture.submit(try ExecutorFixture.request(4), to: outcomes)
        #expect(fixture.statistics.rejections == [.queueFull: 1])
        clock.waitForSleeper(until: 1_050_000)
        clock.advance(by: 50_000)
        _ = outcomes.wait(for: 3)
        #expect(fixture.statistics.rejections == [.queueFull: 1, .timeout: 1])

        _ = fixture.submit(try ExecutorFixture.request(5), to: outcomes)
        #expect(fixture.executor.stop(deadline: clock.now()) == 1)
        _ = fixture.submit(try ExecutorFixture.request(6), to: outcomes)
        #expect(fixture.statistics.failures == [.canceled: 1, .rejected: 4])
        #expect(fixture.statistics.rejections == [.queueFull: 1, .timeout: 1, .stopping: 2])
        #expect(fixture.statistics.fail.count == 5)
        gate.open()
        _ = outcomes.wait(for: 6)
        fixture.stop()
    }

    @Test("Each request counts in the histograms with its own wait and its batch's stages, and sums agree")
    func histograms() throws {
        let collector = StatisticsCollector(name: "test", version: 1)
        collector.recordSuccess(
            batchSize: 5, reason: .full, arrivals: [0, 40_000],
            stages: StatisticsCollector.Stages(
                start: 50_000, inferenceStart: 60_000, inferenceEnd: 160_001, end: 160_001))
        let statistics = collector.snapshot()
        let latencies = statistics.latencies
        func counts(_ histogram: HistogramStatistic) -> [UInt64: UInt64] {
            Dictionary(
                uniqueKeysWithValues: zip(histogram.bounds + [.max], histogram.counts).filter { $0.1 > 0 })
        }
        #expect(counts(latencies.queue) == [10_000: 1, 50_000: 1])
        #expect(counts(latencies.request) == [200_000: 2])
        #expect(counts(latencies.computeInput) == [10_000: 2])
        #expect(counts(latencies.computeInfer) == [200_000: 2])
        #expect(counts(latencies.computeOutput) == [10_000: 2])
        #expect(counts(statistics.batchSizes) == [8: 1] && statistics.batchSizes.sum == 5)
        let pairs = [
            (latencies.request, statistics.success), (latencies.queue, statistics.queue),
            (latencies.computeInput, statistics.computeInput), (latencies.computeInfer, statistics.computeInfer),
            (latencies.computeOutput, statistics.computeOutput),
        ]
        for (histogram, total) in pairs {
            #expect(DurationStatistic(count: histogram.count, nanoseconds: histogram.sum) == total)
        }
    }
}

extension Result where Success == InferenceResponse, Failure == HalcyonError {
    fileprivate var isInvalid: Bool {
        guard case .failure(let error) = self else { return false }
        return error.code == .invalidArgument
    }
}
