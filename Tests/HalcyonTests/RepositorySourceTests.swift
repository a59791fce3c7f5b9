import Foundation
import Halcyon
import HalcyonTestKit
import Testing
import Threads

/// A source that fills its folder from what the test has put into it.
private final class ScriptedSource: RepositorySource {
    private struct State {
        var models: [String: Int] = [:]
        /// What lies in the folder.
        var present: [String: Int] = [:]
        var failure: HalcyonError?
        var asked: [RepositoryScope] = []
        var hangs = false
    }

    let folder: String
    private let repository: TemporaryRepository
    private let state = Locked(State())
    let hanging = AsyncStream.makeStream(of: Void.self)
    private let never = AsyncStream.makeStream(of: Void.self)

    init(_ repository: TemporaryRepository) throws {
        self.repository = repository
        folder = repository.path + "/copies"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    var asked: [RepositoryScope] { state.withLock { $0.asked } }
    func put(_ name: String, dimensions: Int) { state.withLock { $0.models[name] = dimensions } }
    func remove(_ name: String) { state.withLock { $0.models[name] = nil } }
    func fail(_ error: HalcyonError?) { state.withLock { $0.failure = error } }
    func hang() { state.withLock { $0.hangs = true } }

    /// What has not changed stays as it is.
    private func bring(_ name: String, _ dimensions: Int) throws {
        guard state.withLock({ $0.present[name] != dimensions }) else { return }
        try repository.add("copies/\(name)", backend: "identity", dimensions: dimensions)
        state.withLock { $0.present[name] = dimensions }
    }

    func update(_ scope: RepositoryScope) async throws(HalcyonError) {
        let state = state.withLock { state in
            state.asked.append(scope)
            return state
        }
        if let failure = state.failure { throw failure }
        if state.hangs {
            hanging.continuation.yield()
            // Until the task is cancelled.
            for await _ in never.stream {}
            throw HalcyonError(.cancelled, "given up")
        }
        do {
            switch scope {
            case .names:
                for name in state.models.keys {
                    try FileManager.default.createDirectory(
                        atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
                }
            case .everything:
                for name in state.present.keys where state.models[name] == nil {
                    try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
                }
                for (name, dimensions) in state.models { try bring(name, dimensions) }
            case .model(let name): if let dimensions = state.models[name] { try bring(name, dimensions) }
            }
            if scope == .everything { self.state.withLock { $0.present = state.models } }
        } catch {
            throw HalcyonError(wrapping: error)
        }
    }
}

@Suite("Repositories that lie elsewhere")
struct RepositorySourceTests {
    private func options(_ source: ScriptedSource, _ mode: ServerOptions.ModelControlMode = .none) -> ServerOptions {
        var options = ServerOptions()
        options.repositorySources = [source]
        options.modelControlMode = mode
        options.repositoryPollInterval = .seconds(3600)
        return options
    }

    /// The source needs the threads that a test runs on.
    private func poll(_ server: InferenceServer, _ count: Int) async {
        await offPool { for _ in 0..<count { server.pollRepositories() } }
    }

    @Test("All models are brought at start, once")
    func atStart() async throws {
        let source = try ScriptedSource(try TemporaryRepository())
        source.put("a", dimensions: 3)
        source.put("b", dimensions: 4)
        let server = try InferenceServer(options(source))
        try await server.waitUntilReady()
        #expect(try server.modelMetadata("b").inputs[0].shape == [-1, 4])
        #expect(source.asked == [.everything])
        // An application that loads one wants what there is now.
        source.put("b", dimensions: 5)
        try await server.loadModel("b")
        #expect(try server.modelMetadata("b").inputs[0].shape == [-1, 5])
        #expect(source.asked == [.everything, .model("b")])
        #expect(await server.shutdown().isClean)
    }

    @Test("In explicit mode the names are brought, and models when they are loaded")
    func explicitly() async throws {
        let source = try ScriptedSource(try TemporaryRepository())
        source.put("a", dimensions: 3)
        source.put("b", dimensions: 4)
        var options = options(source, .explicit)
        options.startupModels = ["a"]
        let server = try InferenceServer(options)
        try await server.waitUntilReady()
        #expect(server.modelIndex().map(\.name) == ["a", "b"])
        #expect(source.asked == [.names, .model("a")])
        try await server.loadModel("b")
        #expect(server.isModelReady("b"))
        source.fail(HalcyonError(.unavailable, "the store is away"))
        let error = await #expect(throws: HalcyonError.self) { try await server.loadModel("b") }
        #expect(error?.message.contains("the store is away") == true)
        // What serves goes on.
        #expect(server.isModelReady("b"))
        #expect(await server.shutdown().isClean)
    }

    @Test("Polling asks the source before each look, and takes nothing away when it fails")
    func polling() async throws {
        let source = try ScriptedSource(try TemporaryRepository())
        source.put("a", dimensions: 3)
        let server = try InferenceServer(options(source, .poll))
        try await server.waitUntilReady()
        source.put("b", dimensions: 4)
        await poll(server, 2)
        #expect(server.isModelReady("b"))
        #expect(source.asked == [.everything, .everything, .everything])
        source.fail(HalcyonError(.unavailable, "the store is away"))
        await poll(server, 3)
        #expect(server.isModelReady("a") && server.isModelReady("b") && server.isReady)
        source.fail(nil)
        source.remove("a")
        await poll(server, 2)
        #expect(!server.isModelReady("a"))
        #expect(server.isModelReady("b"))
        #expect(await server.shutdown().isClean)
    }

    @Test("A source that fails at start is said, and found by polling when it is back")
    func failing() async throws {
        let source = try ScriptedSource(try TemporaryRepository())
        source.put("a", dimensions: 3)
        source.fail(HalcyonError(.notFound, "there is no such bucket"))
        let server = try InferenceServer(options(source, .poll))
        let error = await #expect(throws: HalcyonError.self) { try await server.waitUntilReady() }
        #expect(error?.message == "there is no such bucket")
        #expect(server.isLive && !server.isReady)
        source.fail(nil)
        await poll(server, 2)
        #expect(server.isModelReady("a"))
        #expect(server.isReady)
        #expect(await server.shutdown().isClean)
    }

    @Test("A server that is stopped meanwhile does not wait for its source")
    func stopping() async throws {
        let source = try ScriptedSource(try TemporaryRepository())
        source.hang()
        let server = try InferenceServer(options(source))
        for await _ in source.hanging.stream { break }
        #expect(server.isLive && !server.isReady)
        #expect(await server.shutdown().isClean)
    }
}
