import Halcyon
import HalcyonTestKit
import Testing

@Suite("Statistics")
struct ServerStatisticsTests {
    @Test("The JSON is Triton's, key for key and in its order")
    func json() {
        var model = ModelStatistics(name: "simple_int8", version: 1)
        let fresh = """
            {"model_stats":[{"name":"simple_int8","version":"1","last_inference":0,"inference_count":0,\
            "execution_count":0,"inference_stats":{"success":{"count":0,"ns":0},"fail":{"count":0,"ns":0},\
            "queue":{"count":0,"ns":0},"compute_input":{"count":0,"ns":0},"compute_infer":{"count":0,"ns":0},\
            "compute_output":{"count":0,"ns":0},"cache_hit":{"count":0,"ns":0},"cache_miss":{"count":0,"ns":0}},\
            "response_stats":{},"batch_stats":[],"memory_usage":[]}]}
            """
        #expect(ServerStatistics(models: [model]).json == fresh)
        var batch = BatchStatistics(batchSize: 4)
        batch.computeInfer = DurationStatistic(count: 2, nanoseconds: 30)
        model.batches = [batch]
        let text = ServerStatistics(models: [model]).json
        #expect(
            text.contains(
                #""batch_stats":[{"batch_size":4,"compute_input":{"count":0,"ns":0},"#
                    + #""compute_infer":{"count":2,"ns":30},"compute_output":{"count":0,"ns":0}}]"#))
    }

    @Test("Gauges say what waits, what runs and how long loading took")
    func gauges() async throws {
        let clock = ManualClock(now: 1000)
        let gate = Gate()
        let echo = ScriptedBackend.echo()
        let backend = ScriptedBackend { batch, identity in
            clock.advance(by: 7)
            if try batch.input("IN").elements(as: Float.self)[0] == 1 { gate.pass() }
            return try echo(&batch, identity)
        }
        let repository = try TemporaryRepository()
        try repository.add("scripted", backend: "scripted", lines: "instance_group [ { count: 2 kind: KIND_CPU } ]")
        let server = try startServer(repository, backends: [backend], clock: clock)
        #expect(server.gauges().isEmpty)
        try await server.loadModel("scripted")
        var expected = ModelGauges(name: "scripted", version: 1)
        expected.instances = 2
        expected.loadNanoseconds = 7 * UInt64(backend.executedBatchSizes.count)
        #expect(server.gauges() == [expected])
        let outcomes = Collected<Result<InferenceResponse, HalcyonError>>()
        for _ in 0..<3 { server.submit(try request("scripted", 1)) { outcomes.add($0) } }
        await gate.waitForArrivals(2)
        expected.busyInstances = 2
        expected.pendingRequests = 1
        #expect(server.gauges() == [expected])
        gate.open()
        _ = await outcomes.wait(for: 3)
        await server.shutdown()
        #expect(server.gauges().isEmpty)
    }

    @Test("The times of a request's stages add up to its time, by a clock moved by hand")
    func stages() async throws {
        let clock = ManualClock(now: 1000)
        let echo = ScriptedBackend.echo()
        let backend = ScriptedBackend { batch, identity in
            clock.advance(by: 10)
            batch.inferenceWillStart()
            clock.advance(by: 100)
            batch.inferenceDidEnd()
            clock.advance(by: 1)
            return try echo(&batch, identity)
        }
        let repository = try TemporaryRepository()
        try repository.add("scripted", backend: "scripted")
        let server = try startServer(repository, backends: [backend], clock: clock)
        try await server.loadModel("scripted")
        for _ in 0..<3 { _ = try await server.infer(try request("scripted", 1, items: 2)) }
        let statistics = try server.statistics(model: "scripted").models[0]
        #expect(statistics.success == DurationStatistic(count: 3, nanoseconds: 333))
        #expect(statistics.queue == DurationStatistic(count: 3, nanoseconds: 0))
        #expect(statistics.computeInput == DurationStatistic(count: 3, nanoseconds: 30))
        #expect(statistics.computeInfer == DurationStatistic(count: 3, nanoseconds: 300))
        #expect(statistics.computeOutput == DurationStatistic(count: 3, nanoseconds: 3))
        #expect(statistics.inferenceCount == 6 && statistics.executionCount == 3)
        #expect(statistics.batches.map(\.batchSize) == [2])
        #expect(statistics.batchReasons == [.unbatched: 3])
        await server.shutdown()
    }
}
