import HalcyonTestKit
import ModelConfiguration
import ModelRuntime
import Tensors
import Testing

@Suite("Warm-up")
struct WarmUpTests {
    private func executedSizes(_ batching: DynamicBatching?, instances: Int, secondsABatch: UInt64 = 0) throws -> [Int]
    {
        let clock = ManualClock()
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(
            ExecutorFixture.configuration(maxBatchSize: 4, batching: batching), instances: instances, clock: clock
        ) {
            clock.advance(by: secondsABatch * 1_000_000_000)
            return try echo(&$0, $1)
        }
        try fixture.executor.warmUp()
        fixture.stop()
        let statistics = fixture.executor.statistics.snapshot()
        #expect(statistics.executionCount == 0 && statistics.success.count == 0, "a warm-up is counted nowhere")
        return fixture.backend.executedBatchSizes
    }

    @Test("Every instance runs once, the first twice, and one of them at the sizes that batches will have")
    func sizes() throws {
        #expect(try executedSizes(nil, instances: 2) == [1, 1, 1])
        #expect(try executedSizes(DynamicBatching(preferredBatchSizes: [4]), instances: 2) == [1, 1, 1, 4, 2, 3])
    }

    @Test("The first execution's time is told apart from the next")
    func times() throws {
        let clock = ManualClock()
        let durations = Locked<[UInt64]>([5, 40])
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(ExecutorFixture.configuration(), clock: clock) {
            clock.advance(by: durations.withLock { $0.popLast() } ?? 0)
            return try echo(&$0, $1)
        }
        let times = try fixture.executor.warmUp()
        fixture.stop()
        #expect(times?.first == 40)
        #expect(times?.steady == 5)
    }

    @Test("Sizes that nobody prefers are tried only while that is quick")
    func patience() throws {
        let batching = DynamicBatching(preferredBatchSizes: [4])
        #expect(try executedSizes(batching, instances: 1, secondsABatch: 3) == [1, 1, 4, 2])
    }

    @Test("A model with open dimensions is left cold, and a model that fails says so")
    func coldOrFailing() throws {
        let open = try ExecutorFixture(ExecutorFixture.configuration(dimensions: [-1]))
        try open.executor.warmUp()
        open.stop()
        #expect(open.backend.executedBatchSizes.isEmpty)
        let failing = try ExecutorFixture(ExecutorFixture.configuration()) { _, _ in
            throw HalcyonError(.internal, "engine says no")
        }
        #expect(throws: HalcyonError(.internal, "engine says no")) { try failing.executor.warmUp() }
        failing.stop()
    }
}
