import Halcyon
import HalcyonTestKit
import Testing
import Threads

@Suite("Models with sequences")
struct SequenceTests {
    /// Adds up the first values of a sequence by the state, and says in the others what it was told: start, end, and
    /// the correlation id.
    private static let accumulate = makeAccumulate()

    private static func makeAccumulate() -> ScriptedBackend {
        ScriptedBackend { batch, _ in try sums(&batch) }
    }

    private static func sums(_ batch: inout ExecutionBatch) throws -> [Tensor] {
        let values = try batch.input("IN").elements(as: Float.self)
        let state = try batch.input("SUM_IN").elements(as: Float.self)
        let start = try batch.input("START").elements(as: Float.self)
        let end = try batch.input("END").elements(as: Int32.self)
        let ids = try batch.input("ID").elements(as: UInt64.self)
        var sums: [Float] = []
        var outputs: [Float] = []
        for row in 0..<batch.batchSize {
            sums.append(state[row] + values[row * 4])
            outputs += [sums[row], start[row], Float(end[row]), Float(ids[row])]
        }
        return [
            try Tensor(name: "OUT", shape: [batch.batchSize, 4], outputs),
            try Tensor(name: "SUM_OUT", shape: [batch.batchSize, 1], sums),
        ]
    }

    private static func lines(_ strategy: String, idle: Int = 60_000_000) -> String {
        """
        sequence_batching {
          \(strategy)
          max_sequence_idle_microseconds: \(idle)
          control_input [
            { name: "START" control [ { kind: CONTROL_SEQUENCE_START fp32_false_true: [ 0, 1 ] } ] },
            { name: "END" control [ { kind: CONTROL_SEQUENCE_END int32_false_true: [ 0, 1 ] } ] },
            { name: "ID" control [ { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_UINT64 } ] }
          ]
          state [ { input_name: "SUM_IN" output_name: "SUM_OUT" data_type: TYPE_FP32 dims: [ 1 ]
                    initial_state [ { data_type: TYPE_FP32 dims: [ 1 ] zero_data: true name: "none" } ] } ]
        }
        """
    }

    private func start(
        _ strategy: String, idle: Int = 60_000_000, clock: any SchedulingClock = SystemClock()
    ) async throws -> InferenceServer {
        let repository = try TemporaryRepository()
        try repository.add("sum", backend: "scripted", lines: Self.lines(strategy, idle: idle))
        let server = try startServer(repository, backends: [Self.accumulate], clock: clock)
        try await server.loadModel("sum")
        return server
    }

    private func request(
        _ value: Float, _ id: UInt64, start: Bool = false, end: Bool = false
    ) throws -> InferenceRequest {
        var request = try HalcyonTests.request("sum", value)
        request.sequence = InferenceSequence(id: .number(id), isStart: start, isEnd: end)
        return request
    }

    private func run(_ server: InferenceServer, _ request: InferenceRequest) async throws -> [Float] {
        try await server.infer(request).output("OUT").elements(as: Float.self)
    }

    @Test(
        "Each sequence has its own state from its start to its end, and the model is told where it is",
        arguments: ["direct { }", "oldest { max_candidate_sequences: 4 }"])
    func states(strategy: String) async throws {
        let server = try await start(strategy)
        #expect(try await run(server, request(1, 7, start: true)) == [1, 1, 0, 7])
        #expect(try await run(server, request(10, 8, start: true)) == [10, 1, 0, 8])
        #expect(try await run(server, request(2, 7)) == [3, 0, 0, 7])
        #expect(try await run(server, request(20, 8, end: true)) == [30, 0, 1, 8])
        #expect(try await run(server, request(3, 7, end: true)) == [6, 0, 1, 7])
        #expect(try await run(server, request(5, 7, start: true, end: true)) == [5, 1, 1, 7])
        let statistics = try server.statistics(model: "sum").models[0]
        #expect(statistics.success.count == 6 && statistics.inferenceCount == 6)
        #expect(await server.shutdown().isClean)
    }

    @Test("What no sequence can be is refused in Triton's words")
    func refusals() async throws {
        let server = try await start("direct { }")
        for (request, complaint) in [
            (try HalcyonTests.request("sum", 1), "must specify a non-zero or non-empty correlation ID"),
            (try request(1, 9), "must specify the START flag on the first request of the sequence"),
        ] {
            let error = await #expect(throws: HalcyonError.self) { try await server.infer(request) }
            #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
            #expect(error?.code == .invalidArgument)
        }
        var batch = try HalcyonTests.request("sum", 1, items: 2)
        batch.sequence = InferenceSequence(id: .number(3), isStart: true)
        let several = batch
        let error = await #expect(throws: HalcyonError.self) { try await server.infer(several) }
        #expect(error?.message.contains("must specify batch-size 1") == true)
        await server.shutdown()
    }

    @Test("Many sequences at the same time each add up their own", arguments: ["direct { }", "oldest { }"])
    func many(strategy: String) async throws {
        let server = try await start(strategy)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for id in UInt64(1)...20 {
                group.addTask {
                    var expected: Float = 0
                    for step in 1...20 {
                        expected += Float(step) * Float(id)
                        let sum = try await run(
                            server, request(Float(step) * Float(id), id, start: step == 1, end: step == 20))[0]
                        #expect(sum == expected)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try server.statistics(model: "sum").models[0].success.count == 400)
        #expect(await server.shutdown().isClean)
    }

    @Test("A model goes although a sequence has not ended, and the sequence is over then")
    func unload() async throws {
        let repository = try TemporaryRepository()
        try repository.add("sum", backend: "scripted", lines: Self.lines("direct { }"))
        let server = try startServer(repository, backends: [Self.accumulate])
        try await server.loadModel("sum")
        _ = try await run(server, request(1, 7, start: true))
        try await server.unloadModel("sum")
        try await server.loadModel("sum")
        let error = await #expect(throws: HalcyonError.self) { try await run(server, request(1, 7)) }
        #expect(error?.message.contains("must specify the START flag") == true)
        await server.shutdown()
    }

    @Test(
        "The model runs before its first request, at the sizes that batches will have, and no sequence begins by that",
        arguments: [
            ("direct { }", [1, 1, 2, 3, 4, 5, 6, 7, 8]),
            ("oldest { preferred_batch_size: [ 4 ] }", [1, 1, 4, 2, 3, 5, 6, 7, 8]),
        ])
    func warmUp(strategy: String, sizes: [Int]) async throws {
        let repository = try TemporaryRepository()
        let sample = """
            model_warmup [ { name: "sample" batch_size: 3 count: 2
                             inputs { key: "IN" value { data_type: TYPE_FP32 dims: [ 4 ] random_data: true } } } ]
            """
        try repository.add("sum", backend: "scripted", lines: Self.lines(strategy) + "\n" + sample)
        let sums = Self.makeAccumulate()
        let server = try startServer(repository, backends: [sums])
        try await server.loadModel("sum")
        #expect(sums.executedBatchSizes == [3, 3] + sizes)
        #expect(try server.statistics(model: "sum").models[0].executionCount == 0)
        let error = await #expect(throws: HalcyonError.self) { try await run(server, request(1, 7)) }
        #expect(error?.message.contains("must specify the START flag") == true)
        #expect(try await run(server, request(1, 7, start: true)) == [1, 1, 0, 7])
        #expect(await server.shutdown().isClean)
    }

    @Test("An ensemble hands the sequence on to its steps, and is not answered from memory then")
    func ensemble() async throws {
        let repository = try TemporaryRepository()
        try repository.add("sum", backend: "scripted", lines: Self.lines("direct { }"))
        try repository.add(
            "outer",
            configuration: """
                platform: "ensemble"
                max_batch_size: 8
                input { name: "IN" data_type: TYPE_FP32 dims: 4 }
                output { name: "OUT" data_type: TYPE_FP32 dims: 4 }
                response_cache { enable: true }
                ensemble_scheduling { step {
                    model_name: "sum" input_map { key: "IN" value: "IN" } output_map { key: "OUT" value: "OUT" } } }
                """)
        let server = try startServerWithoutWarmUp(repository, backends: [Self.accumulate], cacheByteSize: 1 << 20)
        try await server.loadModel("outer")
        var sums: [Float] = []
        for step in 1...3 {
            var request = try HalcyonTests.request("outer", 5)
            request.sequence = InferenceSequence(id: .number(7), isStart: step == 1, isEnd: step == 3)
            sums.append(try await run(server, request)[0])
        }
        #expect(sums == [5, 10, 15])
        #expect(await server.shutdown().isClean)
    }

    @Test("An id that is text is for models that take text")
    func text() async throws {
        let server = try await start("direct { }")
        var request = try HalcyonTests.request("sum", 1)
        request.sequence = InferenceSequence(id: .text("camera"), isStart: true, isEnd: true)
        let named = request
        let error = await #expect(throws: HalcyonError.self) { try await server.infer(named) }
        #expect(error?.message.contains("sequence id 'camera' can't be handed to input 'ID', which is UINT64") == true)
        await server.shutdown()
    }

    @Test(
        "What the configuration can't mean is a load error",
        arguments: [
            ("fp32_false_true: [ 0, 1 ]", "fp32_false_true: [ 0 ]", "must have exactly 2 entries"),
            ("data_type: TYPE_UINT64", "data_type: TYPE_FP32", "unexpected data type for control"),
            ("dims: [ 1 ] zero_data", "dims: [ 2 ] zero_data", "doesn't match 'state' dim description. [2] != [1]"),
            ("input_name: \"SUM_IN\"", "", "state must have 'input_name'"),
            (
                "direct { }", "direct { minimum_slot_utilization: 2 }",
                "minimum slot utilization must be in range (0.0, 1.0]"
            ),
        ])
    func complaints(from: String, to: String, complaint: String) async throws {
        let repository = try TemporaryRepository()
        try repository.add("sum", backend: "scripted", lines: Self.lines("direct { }").replacing(from, with: to))
        let server = try startServer(repository, backends: [Self.accumulate])
        let error = await #expect(throws: HalcyonError.self) { try await server.loadModel("sum") }
        #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
        await server.shutdown()
    }
}
