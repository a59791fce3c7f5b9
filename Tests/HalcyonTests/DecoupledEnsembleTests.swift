import Halcyon
import HalcyonTestKit
import Testing
import Threads

/// Answers with as many responses as the first value of the input says: 1, 2, 3 and so on.
private struct StreamingBackend: Backend {
    var name: String { "streaming" }
    var modelFilenames: [String] { [] }
    /// Responses that were given altogether.
    let sent = Locked(0)
    let ends = Collected<Bool>()

    func openModel(_ source: ModelSource) throws -> any BackendModel { StreamingModel(backend: self) }
}

private final class StreamingModel: BackendModel {
    let backend: StreamingBackend
    init(backend: StreamingBackend) { self.backend = backend }
    func makeInstance(_ identity: InstanceIdentity) throws -> any ModelInstance { StreamingInstance(backend) }
}

private final class StreamingInstance: DecoupledModelInstance {
    let backend: StreamingBackend
    init(_ backend: StreamingBackend) { self.backend = backend }

    func execute(_ request: DecoupledRequest) throws {
        defer { backend.ends.add(request.isCancelled) }
        let count = try request.input("IN").elements(as: Float.self)[0]
        for number in 0..<Int(count) {
            try request.send([try Tensor(name: "OUT", shape: [1, 4], [Float](repeating: Float(number + 1), count: 4))])
            backend.sent.withLock { $0 += 1 }
        }
    }
}

@Suite("Ensembles with decoupled steps")
struct DecoupledEnsembleTests {
    private let streaming = StreamingBackend()

    /// `IN` → many (decoupled) → `MIDDLE` → each → `OUT`.
    private static let configuration = """
        platform: "ensemble"
        max_batch_size: 8
        input [ { name: "IN" data_type: TYPE_FP32 dims: [ 4 ] } ]
        output [ { name: "OUT" data_type: TYPE_FP32 dims: [ 4 ] } ]
        ensemble_scheduling {
          LIMIT
          step [
            { model_name: "many" input_map { key: "IN" value: "IN" } output_map { key: "OUT" value: "MIDDLE" } },
            { model_name: "each" input_map { key: "IN" value: "MIDDLE" } output_map { key: "OUT" value: "OUT" } }
          ]
        }
        """

    private let repository: TemporaryRepository

    init() throws { repository = try TemporaryRepository() }

    private func start(
        limit: String = "", each: @escaping ScriptedBackend.Script, second: String? = nil
    ) async throws -> InferenceServer {
        let decoupled = "model_transaction_policy { decoupled: true }"
        try repository.add("many", backend: "streaming", lines: decoupled)
        try repository.add(
            "each", backend: second ?? "scripted", lines: second == nil ? "instance_group [ { count: 3 } ]" : decoupled)
        try repository.add("whole", configuration: Self.configuration.replacing("LIMIT", with: limit))
        let server = try startServerWithoutWarmUp(
            repository, backends: [streaming, ScriptedBackend(script: each)])
        try await server.loadModel("whole")
        return server
    }

    /// Ten times every value; fails for 13.
    private static let tenTimes: ScriptedBackend.Script = { batch, _ in
        let input = try batch.input("IN")
        let values = try input.elements(as: Float.self)
        if values.contains(13) { throw HalcyonError(.internal, "unlucky") }
        return [try Tensor(name: "OUT", shape: input.shape, values.map { $0 * 10 })]
    }

    private func values(_ server: InferenceServer, _ count: Int) async throws -> [Float] {
        var values: [Float] = []
        for try await response in server.responses(to: try request("whole", Float(count))) {
            #expect(!response.isFinal && response.modelName == "whole")
            values.append(try response.output("OUT").elements(as: Float.self)[0])
        }
        return values
    }

    @Test("Each response of a step flows on, in order, and an end follows", arguments: [0, 1, 12])
    func flow(count: Int) async throws {
        let server = try await start(each: Self.tenTimes)
        #expect(try server.modelConfiguration("whole").isDecoupled)
        #expect(try await values(server, count) == (0..<count).map { Float($0 + 1) * 10 })
        let statistics = try server.statistics(model: "whole").models[0]
        #expect(statistics.success.count == 1 && statistics.responses.count == count + 1)
        #expect(statistics.responses.last?.empty.count == 1)
        #expect(try server.statistics(model: "each").models.first?.inferenceCount == UInt64(count))
        #expect(await server.shutdown().isClean)
    }

    @Test("The first error ends the responses, and the step that gives them is told that nobody wants more")
    func failure() async throws {
        let server = try await start(each: Self.tenTimes)
        var count = 0
        let error = await #expect(throws: HalcyonError.self) {
            for try await _ in server.responses(to: try request("whole", 100_000)) { count += 1 }
        }
        #expect(error?.message == "in ensemble 'whole', step 1, model 'each': unlucky")
        #expect(count <= 12)
        #expect(await streaming.ends.wait(for: 1) == [true])
        let statistics = try server.statistics(model: "whole").models[0]
        #expect(statistics.fail.count == 1 && statistics.failures == [.other: 1])
        #expect(await server.shutdown().isClean)
    }

    @Test(
        "A step that is quicker than those behind it is held back",
        arguments: [("", 64), ("max_inflight_requests: 3", 3)])
    func bounded(limit: String, expected: Int) async throws {
        let gate = Gate()
        let server = try await start(limit: limit) { batch, identity in
            gate.pass()
            return try Self.tenTimes(&batch, identity)
        }
        let outcomes = Collected<Result<InferenceResponse, HalcyonError>>()
        let handle = server.submit(try request("whole", 5000)) { outcomes.add($0) }
        await gate.waitForArrivals(1)
        let sent = { streaming.sent.withLock { $0 } }
        while sent() < expected { await Task.yield() }
        for _ in 0..<1000 { await Task.yield() }
        #expect(sent() == expected)
        handle?.cancel()
        #expect(await streaming.ends.wait(for: 1) == [true])
        #expect(await outcomes.wait(for: 1)[0].failure?.code == .cancelled)
        gate.open()
        #expect(await server.shutdown().isClean)
        #expect(outcomes.values.count == 1)
    }

    @Test("A decoupled step may read the responses of another")
    func nested() async throws {
        let server = try await start(each: Self.tenTimes, second: "streaming")
        #expect(try await values(server, 3) == [1, 1, 2, 1, 2, 3])
        #expect(await server.shutdown().isClean)
    }

    @Test("What takes one response only refuses, and a step that changes is told")
    func refusals() async throws {
        let server = try await start(each: Self.tenTimes)
        let error = await #expect(throws: HalcyonError.self) { try await server.infer(try request("whole", 1)) }
        #expect(error?.code == .unsupported)
        try await server.loadModel(
            "many",
            override: ModelOverride(
                configuration: """
                    {"backend": "scripted", "max_batch_size": 8,
                     "input": [{"name": "IN", "data_type": "TYPE_FP32", "dims": [4]}],
                     "output": [{"name": "OUT", "data_type": "TYPE_FP32", "dims": [4]}]}
                    """))
        #expect(!server.isModelReady("whole"))
        let changed = await #expect(throws: HalcyonError.self) { try await values(server, 1) }
        #expect(
            changed?.message
                == "in ensemble 'whole', step 0, model 'many': it is no longer decoupled: load the ensemble anew")
        await server.shutdown()
    }
}
