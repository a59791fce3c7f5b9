import Halcyon
import Testing

/// Times are durations for users of the library, whatever they are counted in.
@Suite struct DurationViewsTests {
    @Test func `Configurations and requests take durations, in whole microseconds`() {
        var batching = DynamicBatching(
            maxQueueDelay: .milliseconds(2), defaultQueuePolicy: QueuePolicy(defaultTimeout: .seconds(1)))
        #expect(batching.maxQueueDelayMicroseconds == 2000 && batching.maxQueueDelay == .milliseconds(2))
        #expect(batching.defaultQueuePolicy.defaultTimeoutMicroseconds == 1_000_000)
        batching.maxQueueDelay = .nanoseconds(1)
        batching.defaultQueuePolicy.defaultTimeout = .zero
        #expect(batching.maxQueueDelayMicroseconds == 1 && batching.defaultQueuePolicy.defaultTimeout == .zero)
        var sequences = SequenceBatching(strategy: .direct(maxQueueDelay: .zero, minimumSlotUtilization: 0))
        sequences.maxSequenceIdle = .seconds(3)
        #expect(sequences.maxSequenceIdleMicroseconds == 3_000_000 && sequences.maxSequenceIdle == .seconds(3))
        var request = InferenceRequest(modelName: "m", inputs: [], timeout: .milliseconds(50))
        #expect(request.timeoutMicroseconds == 50_000)
        request.timeout = .seconds(-1)
        #expect(request.timeout == .zero)
    }

    @Test func `Statistics and gauges give durations`() {
        let statistic = DurationStatistic(count: 4, nanoseconds: 10_000)
        #expect(statistic.total == .microseconds(10) && statistic.mean == .nanoseconds(2500))
        #expect(DurationStatistic().mean == .zero)
        var gauges = ModelGauges(name: "m", version: 1)
        gauges.loadNanoseconds = 7
        #expect(gauges.loadTime == .nanoseconds(7))
        let quantiles = LatencyQuantiles(quantiles: [0.5, 0.9], values: [.queue: [3, nil]])
        #expect(quantiles[.queue] == [.microseconds(3), nil] && quantiles[.request] == [nil, nil])
    }
}

@Suite struct ErrorTests {
    private struct Cause: Error, Equatable {}

    @Test func `An error of another library becomes the cause, and stays it in other words`() {
        let error = HalcyonError(wrapping: Cause())
        #expect(error.code == .internal && error.cause is Cause)
        #expect(error.prefixed("here: ").cause is Cause && error.prefixed("here: ").message.hasPrefix("here: "))
        let own = HalcyonError(.notFound, "nothing")
        #expect(HalcyonError(wrapping: own) == own && own.cause == nil)
        #expect(HalcyonError(.internal, "\(Cause())", cause: Cause()) == HalcyonError(.internal, "\(Cause())"))
    }

    @Test func `Codes have Triton's names`() {
        #expect(HalcyonError.Code.invalidArgument.description == "Invalid argument")
        #expect(Set(HalcyonError.Code.all).count == 8)
        #expect("\(HalcyonError(.alreadyExists, "m is there"))" == "Already exists: m is there")
    }
}
