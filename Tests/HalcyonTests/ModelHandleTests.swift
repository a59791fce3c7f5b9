import Halcyon
import HalcyonTestKit
import Testing

@Suite("A model is found once")
struct ModelHandleTests {
    /// Answers with what it gets.
    private static let echo = ScriptedBackend { batch, _ in
        let input = try batch.input("IN")
        return [try Tensor(name: "OUT", shape: input.shape, try input.elements(as: Float.self))]
    }

    @Test("What was found stays what it is, and takes requests, whatever is loaded meanwhile")
    func oneVersion() async throws {
        let repository = try TemporaryRepository()
        try repository.add("m", backend: "scripted")
        let server = try startServer(repository, backends: [Self.echo])
        try await server.loadModel("m")
        let model = try server.resolve("m")
        try repository.add("m", backend: "scripted", version: 2)
        let load = Task { try await server.loadModel("m") }
        // The new version serves at once; the old one stays for whoever has found it.
        while try server.modelVersion("m") != 2 { await Task.yield() }
        let (version, interface, labels) = (model.version, model.interface, model.labels(of: "OUT"))
        #expect(version == 1)
        #expect(interface.inputs.map(\.name) == ["IN"] && interface.maxBatchSize == 8)
        #expect(labels == ["zero", "one", "two"])
        let (isReady, isDecoupled, batches) = (model.isReady, model.isDecoupled, model.batches)
        #expect(isReady && !isDecoupled && batches)
        let answers = Collected<Int64?>()
        model.submit(try request("m", 3)) { answers.add(try? $0.get().modelVersion) }
        _ = consume model
        #expect(await answers.wait(for: 1) == [1])
        try await load.value
        #expect(try await server.infer(try request("m", 3)).modelVersion == 2)
        #expect(await server.shutdown().isClean)
    }

    @Test("Who unloads a model waits for whoever has found it")
    func unloading() async throws {
        let repository = try TemporaryRepository()
        try repository.add("m", backend: "scripted")
        let server = try startServer(repository, backends: [Self.echo])
        try await server.loadModel("m")
        let isUnloaded = Collected<Bool>()
        let model = try server.resolve("m", version: 1)
        let unload = Task {
            try await server.unloadModel("m")
            isUnloaded.add(true)
        }
        while server.isModelReady("m") { await Task.yield() }
        #expect(throws: HalcyonError.self) { try server.modelVersion("m") }
        let answers = Collected<Int64?>()
        model.submit(try request("m", 1)) { answers.add(try? $0.get().modelVersion) }
        #expect(await answers.wait(for: 1) == [1])
        #expect(isUnloaded.values.isEmpty)
        _ = consume model
        try await unload.value
        #expect(await server.shutdown().isClean)
    }

    @Test("An ensemble's handle knows the labels of its steps")
    func labels() async throws {
        let repository = try TemporaryRepository()
        try repository.add("m", backend: "scripted")
        try repository.add(
            "whole",
            configuration: """
                platform: "ensemble"
                max_batch_size: 8
                input [ { name: "IN" data_type: TYPE_FP32 dims: [ 4 ] } ]
                output [ { name: "END" data_type: TYPE_FP32 dims: [ 4 ] } ]
                ensemble_scheduling { step [ {
                  model_name: "m" input_map { key: "IN" value: "IN" } output_map { key: "OUT" value: "END" } } ] }
                """)
        let server = try startServer(repository, backends: [Self.echo])
        try await server.loadModel("whole")
        let model = try server.resolve("whole")
        let labels = [model.labels(of: "END"), model.labels(of: "OTHER")]
        _ = consume model
        #expect(labels == [["zero", "one", "two"], []])
        let error = #expect(throws: HalcyonError.self) { _ = try server.resolve("missing").version }
        #expect(error?.code == .notFound)
        #expect(await server.shutdown().isClean)
    }
}
