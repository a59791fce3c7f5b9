import Foundation
import Halcyon
import HalcyonTestKit
import Testing

@Suite("Inference server")
struct InferenceServerTests {
    @Test("A model is loaded, answers in every form, and is unloaded")
    func lifeOfAModel() async throws {
        let repository = try TemporaryRepository()
        try repository.add("echo", backend: "identity")
        let server = try startServer(repository)
        try await server.waitUntilReady()
        #expect(server.isLive && server.isReady)
        #expect(!server.isModelReady("echo"))
        try await server.loadModel("echo")
        #expect(server.isModelReady("echo") && server.isModelReady("echo", version: 1))
        #expect(!server.isModelReady("echo", version: 2))

        let metadata = try server.modelMetadata("echo")
        #expect(metadata.versions == [1] && metadata.platform == "identity")
        #expect(metadata.inputs.map(\.shape) == [[-1, 4]])
        #expect(try server.labels("echo", output: "OUT") == ["zero", "one", "two"])

        let awaited = try await server.infer(try request("echo", 1))
        #expect(try awaited.output("OUT").elements(as: Float.self) == [1, 1, 1, 1])
        let blocking = try server.inferBlocking(try request("echo", 2, items: 3))
        #expect(try blocking.output("OUT").shape == [3, 4])
        let handled = Collected<Result<InferenceResponse, HalcyonError>>()
        server.submit(try request("echo", 3)) { handled.add($0) }
        #expect(try await handled.wait(for: 1)[0].get().modelVersion == 1)

        let statistics = try server.statistics(model: "echo").models[0]
        #expect(statistics.success.count == 3 && statistics.inferenceCount == 5 && statistics.executionCount == 3)

        try await server.unloadModel("echo")
        #expect(!server.isModelReady("echo"))
        let error = #expect(throws: HalcyonError.self) { try server.inferBlocking(try request("echo", 1)) }
        #expect(error?.code == .notFound)
        #expect(
            server.modelIndex() == [ModelIndexEntry(name: "echo", version: 1, state: .unavailable, reason: "unloaded")])
        #expect(await server.shutdown().isClean)
        #expect(!server.isLive)
    }

    @Test("Without model control all models load, and one that fails stops no other")
    func oneFails() async throws {
        let repository = try TemporaryRepository()
        try repository.add("good", backend: "identity")
        try repository.add("bad", backend: "nosuch")
        let server = try InferenceServer(ServerOptions(repositoryPaths: [repository.path]))
        let error = await #expect(throws: HalcyonError.self) { try await server.waitUntilReady() }
        #expect(error?.message.contains("bad: unable to find backend library for backend 'nosuch'") == true)
        #expect(server.isModelReady("good") && !server.isReady)
        #expect(server.modelIndex().map(\.state) == [.unavailable, .ready])
        await server.shutdown()
    }

    @Test("Unknown models and versions are not found")
    func unknown() async throws {
        let repository = try TemporaryRepository()
        try repository.add("echo", backend: "identity")
        let server = try startServer(repository)
        try await server.loadModel("echo")
        var wrongVersion = try request("echo", 1)
        wrongVersion.modelVersion = 9
        let errors = [
            #expect(throws: HalcyonError.self) { try server.inferBlocking(try request("nosuch", 1)) },
            #expect(throws: HalcyonError.self) { try server.inferBlocking(wrongVersion) },
            await #expect(throws: HalcyonError.self) { try await server.loadModel("nosuch") },
            await #expect(throws: HalcyonError.self) { try await server.loadModel("../echo") },
        ]
        #expect(errors.map { $0?.code } == [.notFound, .notFound, .notFound, .invalidArgument])
        try await server.unloadModel("nosuch")
        #expect(errors[0]?.message == "Request for unknown model: 'nosuch' is not found")
        #expect(errors[1]?.message == "Request for unknown model: 'echo' version 9 is not found")
        await server.shutdown()
    }

    @Test("A request that doesn't fit is refused in Triton's words")
    func refusals() async throws {
        let repository = try TemporaryRepository()
        try repository.add("echo", backend: "identity")
        let server = try startServer(repository)
        try await server.loadModel("echo")
        let make = { (tensors: [Tensor]) in InferenceRequest(modelName: "echo", id: "7", inputs: tensors) }
        let floats = { (name: String, shape: TensorShape) in
            try Tensor(name: name, shape: shape, [Float](repeating: 0, count: try shape.elementCount()))
        }
        var short = try floats("IN", [1, 4])
        short.data = try short.data.slice(offset: 0, byteCount: 12)
        var wrongOutput = make([try floats("IN", [1, 4])])
        wrongOutput.requestedOutputs = ["NOPE"]
        let cases: [(InferenceRequest, String)] = [
            (
                make([]),
                "expected 1 inputs but got 0 inputs for model 'echo'. Got input(s) [], but missing required input(s) "
                    + "['IN']. Please provide all required input(s)."
            ),
            (
                make([try floats("X", [1, 4])]),
                "unexpected inference input 'X' for model 'echo'. Got input(s) ['X'], but missing required input(s) "
                    + "['IN']"
            ),
            (
                make([try Tensor(name: "IN", shape: [1, 4], [1, 2, 3, 4] as [Int32])]),
                "inference input 'IN' data-type is 'INT32', but model 'echo' expects 'FP32'"
            ),
            (make([try floats("IN", [1, 4]), try floats("IN", [1, 4])]), "input 'IN' already exists in request"),
            (
                make([try floats("IN", [])]),
                "input 'IN' has no shape but model requires batch dimension for 'echo', whose max_batch_size is 8"
            ),
            (make([try floats("IN", [9, 4])]), "inference request batch-size must be <= 8 for 'echo'"),
            (make([try floats("IN", [0, 4])]), "inference request batch-size must be >= 1 for 'echo'"),
            (
                make([try floats("IN", [4])]),
                "unexpected shape for input 'IN' for model 'echo'. Expected [-1,4], got [4]."
            ),
            (
                make([try floats("IN", [1, 5])]),
                "unexpected shape for input 'IN' for model 'echo'. Expected [-1,4], got [1,5]."
            ),
            (make([short]), "input byte size mismatch for input 'IN' for model 'echo'. Expected 16, got 12"),
        ]
        for (request, expected) in cases {
            let error = #expect(throws: HalcyonError.self) { try server.inferBlocking(request) }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.hasPrefix("[request id: 7] \(expected)") == true, "\(error?.message ?? "")")
        }
        // A request without an id is not named, except to those who look for Triton's word for it.
        var nameless = InferenceRequest(modelName: "echo", inputs: [])
        var refusal = #expect(throws: HalcyonError.self) { try server.inferBlocking(nameless) }
        #expect(refusal?.message.hasPrefix("expected 1 inputs but got 0") == true)
        nameless.nameWithoutID = "<id_unknown>"
        refusal = #expect(throws: HalcyonError.self) { try server.inferBlocking(nameless) }
        #expect(refusal?.message.hasPrefix("[request id: <id_unknown>] expected 1 inputs but got 0") == true)
        // Triton does not name the request here.
        let error = #expect(throws: HalcyonError.self) { try server.inferBlocking(wrongOutput) }
        #expect(error?.message == "unexpected inference output 'NOPE' for model 'echo'")
        await server.shutdown()
    }

    @Test("A reload serves the new version before the old one goes, and a failed one leaves the old in place")
    func reload() async throws {
        let repository = try TemporaryRepository()
        try repository.add("echo", backend: "identity")
        let server = try startServer(repository)
        try await server.loadModel("echo")
        try repository.add("echo", backend: "identity", version: 2)
        try await server.loadModel("echo")
        #expect(try server.modelMetadata("echo").versions == [2])
        try repository.add("echo", backend: "identity", lines: "max_batch_sise: 3")
        let error = await #expect(throws: HalcyonError.self) { try await server.loadModel("echo") }
        #expect(error?.message.contains("did you mean 'max_batch_size'?") == true)
        #expect(try server.modelMetadata("echo").versions == [2])
        let index = server.modelIndex()
        #expect(index.map(\.version) == [1, 2] && index.map(\.state) == [.unavailable, .ready])
        #expect(index[0].reason == "unloaded" && index[1].reason.contains("max_batch_sise"))
        await server.shutdown()
    }

    @Test("Loads, unloads and requests of many tasks end in answers or in clear errors")
    func churn() async throws {
        let repository = try TemporaryRepository()
        try repository.add("echo", backend: "identity", lines: "dynamic_batching { }\ninstance_group [ { count: 2 } ]")
        let server = try startServer(repository)
        try await server.loadModel("echo")
        let outcomes = Collected<Bool>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for value in 0..<4 {
                group.addTask {
                    for _ in 0..<100 {
                        do {
                            let response = try await server.infer(try request("echo", Float(value)))
                            outcomes.add(
                                try response.output("OUT").elements(as: Float.self)
                                    == [Float](repeating: Float(value), count: 4))
                        } catch let error as HalcyonError {
                            outcomes.add(error.code == .unavailable || error.message.contains("no available versions"))
                        }
                    }
                }
            }
            // A load that an unload has overtaken says so.
            func load() async throws {
                do {
                    try await server.loadModel("echo")
                } catch  where error.message.contains("no version is available") {}
            }
            group.addTask { for _ in 0..<20 { try await load() } }
            group.addTask {
                for _ in 0..<5 {
                    try await server.unloadModel("echo")
                    try await load()
                }
            }
            try await group.waitForAll()
        }
        #expect(outcomes.values.count == 400)
        #expect(outcomes.values.allSatisfy { $0 })
        #expect(await server.shutdown().isClean)
    }

    @Test("A cancelled task's request leaves the queue at once")
    func cancellation() async throws {
        let gate = Gate()
        let echo = ScriptedBackend.echo()
        let backend = ScriptedBackend {
            if $0.inputs[0].data.byteCount > 0, try $0.input("IN").elements(as: Float.self)[0] == 1 { gate.pass() }
            return try echo(&$0, $1)
        }
        let repository = try TemporaryRepository()
        try repository.add("scripted", backend: "scripted")
        let server = try startServer(repository, backends: [backend])
        try await server.loadModel("scripted")
        async let first = server.infer(try request("scripted", 1))
        await gate.waitForArrivals(1)
        let second = Task { try await server.infer(try request("scripted", 2)) }
        second.cancel()
        let error = await #expect(throws: HalcyonError.self) { try await second.value }
        #expect(error?.code == .cancelled)
        gate.open()
        #expect(try await first.output("OUT").elements(as: Float.self) == [1, 1, 1, 1])
        #expect(try server.statistics(model: "scripted").models[0].fail.count == 1)
        await server.shutdown()
    }

    @Test("Shutdown finishes what waits; past the exit timeout it says what it dropped")
    func shutdown() async throws {
        let gate = Gate()
        let echo = ScriptedBackend.echo()
        let backend = ScriptedBackend {
            if try $0.input("IN").elements(as: Float.self)[0] == 1 { gate.pass() }
            return try echo(&$0, $1)
        }
        let repository = try TemporaryRepository()
        try repository.add("scripted", backend: "scripted")
        let server = try startServer(repository, backends: [backend], exitTimeout: .zero)
        try await server.loadModel("scripted")
        let outcomes = Collected<Result<InferenceResponse, HalcyonError>>()
        server.submit(try request("scripted", 1)) { outcomes.add($0) }
        await gate.waitForArrivals(1)
        server.submit(try request("scripted", 2)) { outcomes.add($0) }
        let report = await server.shutdown()
        #expect(report.droppedRequests == ["scripted": 1])
        guard case .failure(let error) = await outcomes.wait(for: 1)[0] else {
            Issue.record("the waiting request was not dropped")
            return
        }
        #expect(error.code == .unavailable)
        gate.open()
        #expect(await outcomes.wait(for: 2).count == 2)
        let late = #expect(throws: HalcyonError.self) { try server.inferBlocking(try request("scripted", 3)) }
        #expect(late?.code == .unavailable)
    }

    @Test("A repository that is not there, and one that is a file, are named")
    func badRepositories() throws {
        let repository = try TemporaryRepository()
        let file = "\(repository.path)/file"
        try "".write(toFile: file, atomically: true, encoding: .utf8)
        for path in ["\(repository.path)/nosuch", file] {
            let error = #expect(throws: HalcyonError.self) {
                try InferenceServer(ServerOptions(repositoryPaths: [path]))
            }
            #expect(error?.message.contains(path) == true)
        }
        #expect(throws: HalcyonError.self) { try InferenceServer(ServerOptions(repositoryPaths: [])) }
    }
}
