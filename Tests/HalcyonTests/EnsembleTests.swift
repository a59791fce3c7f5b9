import Foundation
import Halcyon
import HalcyonTestKit
import Testing

@Suite("Ensembles")
struct EnsembleTests {
    /// `IN` → first → `MIDDLE` → second → `OUT`.
    private static let chain = """
        platform: "ensemble"
        max_batch_size: 8
        input [ { name: "IN" data_type: TYPE_FP32 dims: [ 4 ] } ]
        output [ { name: "OUT" data_type: TYPE_FP32 dims: [ 4 ] } ]
        ensemble_scheduling {
          step [
            { model_name: "first" input_map { key: "IN" value: "IN" } output_map { key: "OUT" value: "MIDDLE" } },
            { model_name: "second" input_map { key: "IN" value: "MIDDLE" } output_map { key: "OUT" value: "OUT" } }
          ]
          LIMIT
        }
        """

    private static func chain(limit: String = "") -> String { chain.replacing("LIMIT", with: limit) }

    /// Adds one to every value; fails for 13.
    private static let addOne = ScriptedBackend { batch, _ in
        let input = try batch.input("IN")
        let values = try input.elements(as: Float.self)
        if values.contains(13) { throw HalcyonError(.internal, "unlucky") }
        return [try Tensor(name: "OUT", shape: input.shape, values.map { $0 + 1 })]
    }

    private func repository(_ ensemble: String = chain()) throws -> TemporaryRepository {
        let repository = try TemporaryRepository()
        try repository.add("first", backend: "scripted")
        try repository.add("second", backend: "scripted")
        try repository.add("both", configuration: ensemble)
        return repository
    }

    private func start(_ repository: TemporaryRepository) throws -> InferenceServer {
        try startServer(repository, backends: [Self.addOne])
    }

    @Test("Steps run one behind the other, and all of them are loaded with the ensemble and go with it")
    func chain() async throws {
        let repository = try repository()
        let server = try start(repository)
        try await server.loadModel("both")
        #expect(server.isModelReady("first") && server.isModelReady("second") && server.isModelReady("both"))
        let response = try await server.infer(try request("both", 1, items: 3))
        #expect(response.outputs.map(\.name) == ["OUT"])
        #expect(try response.output("OUT").shape == [3, 4])
        #expect(try response.output("OUT").elements(as: Float.self) == [Float](repeating: 3, count: 12))
        #expect(try server.inferBlocking(try request("both", 5)).output("OUT").elements(as: Float.self)[0] == 7)
        let statistics = try server.statistics().models
        #expect(statistics.map(\.name) == ["both", "first", "second"])
        #expect(statistics.map(\.inferenceCount) == [4, 4, 4])
        #expect(try server.modelMetadata("both").platform == "ensemble")
        try await server.unloadModel("both", dependents: true)
        #expect(!server.isModelReady("first") && !server.isModelReady("second"))
        #expect(await server.shutdown().isClean)
    }

    @Test("A failed step fails the request with its name")
    func failure() async throws {
        let repository = try repository()
        let server = try start(repository)
        try await server.loadModel("both")
        let error = await #expect(throws: HalcyonError.self) { try await server.infer(try request("both", 12)) }
        #expect(error?.message.hasPrefix("in ensemble 'both', step 1, model 'second': ") == true)
        #expect(error?.message.hasSuffix("unlucky") == true)
        let statistics = try server.statistics(model: "both").models[0]
        #expect(statistics.fail.count == 1 && statistics.failures == [.other: 1])
        #expect(try server.statistics(model: "second").models[0].failures == [.backend: 1])
        await server.shutdown()
    }

    /// Around a step that adds one: what the ensemble says of itself, and of its step.
    private static func around(_ whole: String, _ dimensions: String) -> String {
        """
        platform: "ensemble"
        \(whole)
        input [ { name: "IN" data_type: TYPE_FP32 \(dimensions) } ]
        output [ { name: "OUT" data_type: TYPE_FP32 \(dimensions) } ]
        ensemble_scheduling {
          step [ { model_name: "step" input_map { key: "IN" value: "IN" } output_map { key: "OUT" value: "OUT" } } ]
        }
        """
    }

    @Test(
        "An ensemble and its step need not agree on batches, and the ensemble's own shape may be another",
        arguments: [
            (whole: "max_batch_size: 0", dimensions: "dims: [ 4 ]", step: "max_batch_size: 8", shape: [4]),
            ("max_batch_size: 0", "dims: [ -1, 4 ]", "max_batch_size: 8", [3, 4]),
            ("max_batch_size: 8", "dims: [ 4 ]", "max_batch_size: 0", [1, 4]),
            ("max_batch_size: 8", "dims: [ 2, 2 ] reshape { shape: [ 4 ] }", "max_batch_size: 8", [3, 2, 2]),
        ] as [(String, String, String, [Int])])
    func shapes(whole: String, dimensions: String, step: String, shape: [Int]) async throws {
        let repository = try TemporaryRepository()
        try repository.add(
            "step",
            configuration: """
                backend: "scripted"
                \(step)
                input [ { name: "IN" data_type: TYPE_FP32 dims: [ 4 ] } ]
                output [ { name: "OUT" data_type: TYPE_FP32 dims: [ 4 ] label_filename: "labels.txt" } ]
                """)
        try "cat\ndog".write(toFile: "\(repository.path)/step/labels.txt", atomically: true, encoding: .utf8)
        try repository.add("whole", configuration: Self.around(whole, dimensions))
        let server = try start(repository)
        try await server.loadModel("whole")
        let values = [Float](repeating: 1, count: shape.reduce(1, *))
        var request = InferenceRequest(
            modelName: "whole", inputs: [try Tensor(name: "IN", shape: TensorShape(shape), values)])
        request.sequence = InferenceSequence(id: .number(7), isStart: true)
        let response = try await server.infer(request)
        #expect(try response.output("OUT").shape == TensorShape(shape))
        #expect(try response.output("OUT").elements(as: Float.self) == values.map { $0 + 1 })
        #expect(response.parameters.map(\.name) == ["sequence_id", "sequence_start", "sequence_end"])
        #expect(response.parameters.map(\.value) == [.integer(7), .bool(true), .bool(false)])
        #expect(try server.labels("whole", output: "OUT") == ["cat", "dog"], "those of the step")
        #expect(try server.labels("whole", output: "NO").isEmpty)
        await server.shutdown()
    }

    @Test("An ensemble whose step has gone is not ready")
    func missingStep() async throws {
        let repository = try repository()
        let server = try start(repository)
        try await server.loadModel("both")
        try await server.unloadModel("second")
        #expect(!server.isModelReady("both"))
        let error = await #expect(throws: HalcyonError.self) { try await server.infer(try request("both", 1)) }
        #expect(error?.code == .unavailable)
        try await server.loadModel("second")
        #expect(server.isModelReady("both"))
        await server.shutdown()
    }

    @Test("No more requests are under way than the limit says, and those that wait can be taken back")
    func limit() async throws {
        let gate = Gate()
        let backend = ScriptedBackend { batch, _ in
            gate.pass()
            var output = try batch.input("IN")
            output.name = "OUT"
            return [output]
        }
        let repository = try repository(Self.chain(limit: "max_inflight_requests: 1"))
        let server = try startServerWithoutWarmUp(repository, backends: [backend])
        try await server.loadModel("both")
        let outcomes = Collected<Result<InferenceResponse, HalcyonError>>()
        server.submit(try request("both", 1)) { outcomes.add($0) }
        await gate.waitForArrivals(1)
        let second = server.submit(try request("both", 2)) { outcomes.add($0) }
        server.submit(try request("both", 3)) { outcomes.add($0) }
        #expect(server.gauges().first { $0.name == "both" }?.pendingRequests == 2)
        second?.cancel()
        #expect(await outcomes.wait(for: 1)[0].failure?.code == .cancelled)
        gate.open()
        let values = try await outcomes.wait(for: 3).dropFirst().map {
            try $0.get().output("OUT").elements(as: Float.self)[0]
        }
        #expect(values == [1, 3])
        await server.shutdown()
    }

    @Test(
        "What can't be is found when the ensemble is loaded",
        arguments: [
            ("model_name: \"second\"", "model_name: \"nosuch\"", "ensemble 'both' needs model 'nosuch'"),
            (
                "key: \"IN\" value: \"MIDDLE\"", "key: \"NO\" value: \"MIDDLE\"",
                "is mapping to non-existing input NO in model second"
            ),
            ("value: \"MIDDLE\" } output", "value: \"NOBODY\" } output", "'NOBODY', is not connected"),
            ("dims: [ 4 ] } ]\noutput", "dims: [ 5 ] } ]\noutput", "inconsistent shape"),
            ("TYPE_FP32 dims: [ 4 ] } ]\nens", "TYPE_INT8 dims: [ 4 ] } ]\nens", "inconsistent data type"),
            ("value: \"IN\" }", "value: \"OUT\" }", "wait for each other"),
            ("model_name: \"second\"", "model_name: \"both\"", "circular dependency between ensembles: both -> both"),
            ("platform", "instance_group [ { count: 2 } ]\nplatform", "instance group should not be specified"),
        ])
    func complaints(from: String, to: String, complaint: String) async throws {
        let repository = try repository(Self.chain().replacing(from, with: to))
        let server = try start(repository)
        let error = await #expect(throws: HalcyonError.self) { try await server.loadModel("both") }
        #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
        await server.shutdown()
    }

    @Test("At start ensembles find their models whatever the order, and each is loaded once")
    func start() async throws {
        let repository = try repository()
        var options = ServerOptions(repositoryPaths: [repository.path])
        options.backends = [Self.addOne]
        let server = try InferenceServer(options)
        try await server.waitUntilReady()
        #expect(server.modelIndex().map(\.state) == [.ready, .ready, .ready])
        let response = try await server.infer(try request("both", 1))
        #expect(try response.output("OUT").elements(as: Float.self) == [3, 3, 3, 3])
        #expect(await server.shutdown().isClean)
    }
}
