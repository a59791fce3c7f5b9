import Foundation
import Halcyon
import HalcyonTestKit
import Testing

/// Models are files `*.toy`, whose text is added to each element; one that says `weights` takes the number in the file
/// of that name beside it.
private struct ToyBackend: Backend {
    let name = "toy"
    let modelFilenames = ["model.toy"]

    func openModel(_ source: ModelSource) throws -> any BackendModel {
        let path = try #require(source.modelPath)
        var text = try String(contentsOfFile: path, encoding: .utf8)
        if text == "weights" {
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
            text = try String(contentsOf: folder.appendingPathComponent("weights"), encoding: .utf8)
        }
        return ToyModel(summand: try #require(Float(text)))
    }
}

private final class ToyModel: BackendModel {
    let summand: Float
    let signature: ModelSignature? = ModelSignature(
        inputs: [.init(name: "IN", elementType: .fp32, shape: [4])],
        outputs: [.init(name: "OUT", elementType: .fp32, shape: [4])])

    init(summand: Float) { self.summand = summand }

    func makeInstance(_ identity: InstanceIdentity) -> any ModelInstance { ToyInstance(summand: summand) }
}

private final class ToyInstance: ModelInstance {
    let summand: Float

    init(summand: Float) { self.summand = summand }

    func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] {
        let numbers = try batch.input("IN").elements(as: Float.self)
        return [try Tensor(name: "OUT", shape: [4], numbers.map { $0 + summand })]
    }
}

@Suite("Models without a repository") struct ModelFileTests {
    private static func file(_ name: String, _ text: String, in folder: URL? = nil) throws -> String {
        let url = try (folder ?? TemporaryFolder.make()).appendingPathComponent(name)
        try text.write(to: url, atomically: true, encoding: .utf8)
        return url.path
    }

    private static func options(_ files: [String] = []) -> ServerOptions {
        var options = ServerOptions()
        options.backends = [ToyBackend()]
        options.modelFiles = files
        return options
    }

    private static func answer(_ server: InferenceServer, _ model: String) async throws -> Float {
        let input = try Tensor(name: "IN", shape: [4], [1, 1, 1, 1] as [Float])
        let response = try await server.infer(InferenceRequest(modelName: model, inputs: [input]))
        return try response.output("OUT").elements(as: Float.self)[0]
    }

    @Test func `One file is served under its name`() async throws {
        let server = try InferenceServer(model: Self.file("detector \"a\".v2.toy", "5"), options: Self.options())
        try await server.waitUntilReady()
        #expect(server.isReady && server.modelIndex().map(\.name) == ["detector \"a\".v2"])
        #expect(try await Self.answer(server, "detector \"a\".v2") == 6)
        await server.shutdown()
    }

    @Test func `What lies beside a file belongs to it, and a new file is taken when the model is loaded anew`()
        async throws
    {
        let folder = try TemporaryFolder.make()
        _ = try Self.file("weights", "7", in: folder)
        let server = try InferenceServer(Self.options([Self.file("m.toy", "weights", in: folder)]))
        try await server.waitUntilReady()
        #expect(try await Self.answer(server, "m") == 8)
        _ = try Self.file("m.toy", "9", in: folder)
        try await server.loadModel("m")
        #expect(try await Self.answer(server, "m") == 10)
        await server.shutdown()
    }

    @Test func `Files and repositories are served side by side`() async throws {
        let repository = try TemporaryRepository()
        try repository.add("other", backend: "identity")
        var options = Self.options([try Self.file("m.toy", "1")])
        options.repositoryPaths = [repository.path]
        let server = try InferenceServer(options)
        try await server.waitUntilReady()
        #expect(server.isModelReady("m") && server.isModelReady("other"))
        await server.shutdown()
    }

    @Test(arguments: [
        (["/nowhere/m.toy"], HalcyonError.Code.notFound, "the model file '/nowhere/m.toy' does not exist"),
        (["/dev/null"], HalcyonError.Code.invalidArgument, "is neither a file nor a folder"),
    ])
    func `A file that can't be served is named`(files: [String], code: HalcyonError.Code, words: String) {
        let error = #expect(throws: HalcyonError.self) { try InferenceServer(Self.options(files)) }
        #expect(error?.code == code && error?.message.contains(words) == true)
    }

    @Test func `Two files can't have one name, and a server needs something to serve`() throws {
        let files = [try Self.file("m.toy", "1"), try Self.file("m.onnx", "1")]
        let error = #expect(throws: HalcyonError.self) { try InferenceServer(Self.options(files)) }
        #expect(error?.code == .invalidArgument && error?.message.contains("two model files") == true)
        #expect(throws: HalcyonError.self) { try InferenceServer(ServerOptions()) }
    }

    @Test func `The folder that the server makes for it goes with the server`() async throws {
        let path = try Self.file("m.toy", "1")
        func links() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/tmp").filter { $0.hasPrefix("halcyon-model-") }
                .filter { (try? FileManager.default.destinationOfSymbolicLink(atPath: "/tmp/\($0)/m/1")) == folder }
                .count
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().resolvingSymlinksInPath().path
        let made = Collected<Int>()
        func serve() async throws {
            let server = try InferenceServer(model: path, options: Self.options())
            try await server.waitUntilReady()
            made.add(try links())
            await server.shutdown()
        }
        try await serve()
        #expect(made.values == [1])
        #expect(try links() == 0)
        #expect(FileManager.default.fileExists(atPath: path))
    }
}
