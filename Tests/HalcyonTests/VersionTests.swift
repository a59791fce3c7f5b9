import Foundation
import Halcyon
import HalcyonTestKit
import Testing
import Threads

@Suite("Versions of a model")
struct VersionTests {
    private static let all = "version_policy { all { } }"

    private static func server(
        _ repository: TemporaryRepository, script: @escaping ScriptedBackend.Script = ScriptedBackend.echo()
    ) throws -> (InferenceServer, ScriptedBackend) {
        let backend = ScriptedBackend(script: script)
        return (try startServer(repository, backends: [backend]), backend)
    }

    private static func lines(_ server: InferenceServer) -> [String] {
        server.modelIndex().map {
            "\($0.version ?? 0) \($0.state?.rawValue ?? "-")\($0.reason.isEmpty ? "" : " \($0.reason)")"
        }
    }

    @Test("A version that comes or goes leaves the others alone, with their statistics")
    func comeAndGo() async throws {
        let repository = try TemporaryRepository()
        try repository.add("m", backend: "scripted", lines: Self.all)
        let (server, backend) = try Self.server(repository)
        try await server.loadModel("m")
        for _ in 0..<3 { _ = try await server.infer(try request("m", 1)) }
        try repository.add("m", backend: "scripted", version: 2, lines: Self.all)
        try await server.loadModel("m")
        #expect(backend.openedVersions == [1, 2])
        #expect(try server.statistics(model: "m", version: 1).models[0].success.count == 3)
        #expect(try server.modelMetadata("m").versions == [1, 2])
        #expect(try server.modelVersion("m") == 2)
        try FileManager.default.removeItem(atPath: "\(repository.path)/m/1")
        try await server.loadModel("m")
        #expect(backend.openedVersions == [1, 2])
        #expect(Self.lines(server) == ["1 UNAVAILABLE unloaded", "2 READY"])
        // What is neither there nor wanted is forgotten with the next load.
        try await server.loadModel("m")
        #expect(Self.lines(server) == ["2 READY"])
        #expect(await server.shutdown().isClean)
    }

    @Test("A load makes anew what has changed, and nothing else")
    func changes() async throws {
        let repository = try TemporaryRepository()
        for version in [1, 2] { try repository.add("m", backend: "scripted", version: version, lines: Self.all) }
        let (server, backend) = try Self.server(repository)
        try await server.loadModel("m")
        try await server.loadModel("m")
        #expect(backend.openedVersions == [1, 2], "nothing has changed")
        try "weights".write(toFile: "\(repository.path)/m/1/weights", atomically: true, encoding: .utf8)
        try await server.loadModel("m")
        #expect(backend.openedVersions == [1, 2, 1], "a file of version 1")
        try "zero".write(toFile: "\(repository.path)/m/labels.txt", atomically: true, encoding: .utf8)
        try await server.loadModel("m")
        #expect(backend.openedVersions == [1, 2, 1, 1, 2], "a file of both")
        try repository.write("m", try repository.text("m").replacingOccurrences(of: Self.all, with: ""))
        try await server.loadModel("m")
        #expect(backend.openedVersions.count == 5, "a version policy changes no version")
        #expect(try server.modelConfiguration("m").versionPolicy == .latest(1))
        #expect(try server.modelMetadata("m").versions == [2])
        try repository.write("m", try repository.text("m") + "\ndynamic_batching { }")
        try await server.loadModel("m")
        #expect(backend.openedVersions.count == 6, "another configuration")
        #expect(await server.shutdown().isClean)
    }

    @Test("Where one version fails the others serve on as before, and the index has the reason of each")
    func failure() async throws {
        let repository = try TemporaryRepository()
        try repository.add("m", backend: "scripted", lines: Self.all)
        let (server, backend) = try Self.server(repository)
        try await server.loadModel("m")
        for version in [2, 3] { try repository.add("m", backend: "scripted", version: version, lines: Self.all) }
        backend.refusal.withLock { $0 = HalcyonError(.internal, "no memory for it") }
        let error = await #expect(throws: HalcyonError.self) { try await server.loadModel("m") }
        #expect(error?.message.contains("no memory for it") == true)
        #expect(
            Self.lines(server) == [
                "1 READY", "2 UNAVAILABLE no memory for it",
                "3 UNAVAILABLE not put into service, as version 2 failed: no memory for it",
            ])
        #expect(server.isReady, "version 1 serves")
        #expect(try await server.infer(try request("m", 5)).modelVersion == 1)
        backend.refusal.withLock { $0 = nil }
        try await server.loadModel("m")
        #expect(Self.lines(server) == ["1 READY", "2 READY", "3 READY"])
        // What is unloaded has failed nobody, whatever became of its other versions.
        try repository.add("m", backend: "scripted", version: 4, lines: Self.all)
        backend.refusal.withLock { $0 = HalcyonError(.internal, "no memory for it") }
        await #expect(throws: HalcyonError.self) { try await server.loadModel("m") }
        try await server.unloadModel("m")
        #expect(server.isReady)
        #expect(await server.shutdown().isClean)
    }

    @Test("A version is made anew, though nothing has changed, where one of its instances does not answer")
    func sick() async throws {
        let repository = try TemporaryRepository()
        try repository.add("m", backend: "scripted")
        let gate = Gate()
        let echo = ScriptedBackend.echo()
        let backend = ScriptedBackend { batch, identity in
            if try batch.inputs[0].elements(as: Float.self)[0] == 7 { gate.pass() }
            return try echo(&batch, identity)
        }
        let clock = ManualClock()
        var options = ServerOptions(repositoryPaths: [repository.path])
        options.modelControlMode = .explicit
        options.backends = [backend]
        options.executionTimeout = .seconds(1)
        let server = try InferenceServer(options, clock: clock)
        try await server.loadModel("m")
        backend.refusal.withLock { $0 = HalcyonError(.internal, "no more") }
        let stuck = Task { _ = try await server.infer(try request("m", 7)) }
        await gate.waitForArrivals(1)
        clock.advance(by: 1_000_000_000)
        await #expect(throws: HalcyonError.self) { try await stuck.value }
        #expect(!server.isModelReady("m"))
        backend.refusal.withLock { $0 = nil }
        try await server.loadModel("m")
        #expect(backend.openedVersions == [1, 1])
        #expect(server.isModelReady("m"))
        gate.open()
        await server.shutdown()
    }
}
