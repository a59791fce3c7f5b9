import Foundation
import Halcyon
import HalcyonTestKit
import Testing
import Threads

@Suite("Loads: when they are answered, what they say, and how they are given up")
struct LoadTests {
    /// Holds what carries a 2, and the zeros of a first execution where a test wants loads to hang.
    private static func backend(_ gate: Gate, holding value: Float = 2) -> ScriptedBackend {
        let echo = ScriptedBackend.echo()
        return ScriptedBackend { batch, identity in
            if try batch.inputs[0].elements(as: Float.self)[0] == value { gate.pass() }
            return try echo(&batch, identity)
        }
    }

    private func error(_ body: () async throws -> Void) async -> HalcyonError? {
        do {
            try await body()
            return nil
        } catch {
            return HalcyonError(wrapping: error)
        }
    }

    // MARK: Answers

    @Test("A load is answered when the new version serves, though a request still runs in the old one")
    func answeredWhenServing() async throws {
        let gate = Gate()
        let repository = try TemporaryRepository()
        try repository.add("slow", backend: "scripted")
        let server = try startServer(repository, backends: [Self.backend(gate)])
        try await server.loadModel("slow")
        let held = Task { try await server.infer(try request("slow", 2)).modelVersion }
        await gate.waitForArrivals(1)
        try repository.add("slow", backend: "scripted", version: 2)
        try await server.loadModel("slow")
        #expect(try server.modelVersion("slow") == 2)
        gate.open()
        #expect(try await held.value == 1)
        #expect(await server.shutdown().isClean)
    }

    @Test("A refused load begins with Triton's words for how far it came")
    func words() async throws {
        let repository = try TemporaryRepository()
        try repository.add("m", backend: "identity")
        try repository.add("wrong", configuration: "no configuration {")
        try repository.add("engine", backend: "nosuch")
        let server = try startServer(repository)
        let unread = "', failed to poll from model repository: "
        #expect(
            await error { try await server.loadModel("nothing") }?.message.hasPrefix("failed to load 'nothing" + unread)
                == true)
        #expect(
            await error { try await server.loadModel("wrong") }?.message.hasPrefix("failed to load 'wrong" + unread)
                == true)
        for override in [
            ModelOverride(configuration: "no JSON"),
            ModelOverride(configuration: "{}", files: ["../../x": TensorBuffer(copying: [1])]),
        ] {
            let message = await error { try await server.loadModel("m", override: override) }?.message
            #expect(message?.hasPrefix("failed to load 'm" + unread) == true, "\(message ?? "")")
        }
        #expect(
            await error { try await server.loadModel("engine") }?.message.hasPrefix("load failed for model 'engine': ")
                == true)
        #expect(await error { try await server.loadModel("") }?.message.hasPrefix("Model name cannot be empty") == true)
        #expect(
            await error { try await server.loadModel("../m") }?.message.contains(
                "model name must not contain path traversal characters") == true)
        await server.shutdown()
    }

    @Test("What was served and is not any more is known, and what never was is not")
    func statuses() async throws {
        let repository = try TemporaryRepository()
        try repository.add("m", backend: "identity", lines: "version_policy { all { } }")
        try repository.add("m", backend: "identity", version: 3, lines: "version_policy { all { } }")
        let server = try startServer(repository)
        try await server.loadModel("m")
        func refusal(_ version: Int64?) -> HalcyonError? {
            do {
                _ = try server.modelVersion("m", version: version)
                return nil
            } catch {
                return error
            }
        }
        try FileManager.default.removeItem(atPath: "\(repository.path)/m/1")
        try await server.loadModel("m")
        #expect(refusal(nil) == nil)
        #expect(refusal(1)?.code == .unavailable)
        #expect(refusal(1)?.message.hasPrefix("Request for unknown model: 'm' version 1 is not at ready state") == true)
        try await server.unloadModel("m")
        #expect(refusal(3)?.code == .unavailable)
        #expect(refusal(nil)?.code == .notFound)
        #expect(refusal(nil)?.message.hasPrefix("Request for unknown model: 'm' has no available versions") == true)
        #expect(refusal(7) == HalcyonError(.notFound, "Request for unknown model: 'm' version 7 is not found"))
        await server.shutdown()
    }

    // MARK: Readiness

    @Test("The server is ready without what nobody wants: unloaded models, ensembles that lack one, what can't be read")
    func readiness() async throws {
        let repository = try TemporaryRepository()
        try repository.add("good", backend: "identity")
        try repository.add("wrong", configuration: "no configuration {")
        try repository.add("engine", backend: "nosuch")
        let server = try startServer(repository)
        try await server.waitUntilReady()
        try await server.loadModel("good")
        #expect(await error { try await server.loadModel("wrong") } != nil)
        #expect(server.isReady, "it is no model")
        #expect(await error { try await server.loadModel("engine") } != nil)
        #expect(!server.isReady)
        // Nobody wants what has failed when it is unloaded.
        try await server.unloadModel("engine")
        #expect(server.isReady)
        #expect(server.modelIndex().first { $0.name == "engine" }?.state == nil)
        await server.shutdown()
    }

    @Test("Without its repository a server is live and not ready, where it may start at all")
    func missingRepository() async throws {
        let repository = try TemporaryRepository()
        let path = repository.path + "/later"
        var options = ServerOptions(repositoryPaths: [path])
        #expect(throws: HalcyonError.self) { try InferenceServer(options) }
        options.requiresRepositories = false
        let plain = try InferenceServer(options)
        try await plain.waitUntilReady()
        options.modelControlMode = .poll
        options.repositoryPollInterval = .seconds(3600)
        let polling = try InferenceServer(options)
        try await polling.waitUntilReady()
        for server in [plain, polling] { #expect(server.isLive && !server.isReady) }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try repository.add("later/m", backend: "identity")
        polling.pollRepositories()
        #expect(!polling.isReady)
        polling.pollRepositories()
        #expect(polling.isReady && polling.isModelReady("m"))
        #expect(!plain.isReady, "its models would be loaded at start only")
        for server in [plain, polling] { await server.shutdown() }
    }

    @Test("The star is the only model to load at start, if it is one")
    func star() throws {
        let repository = try TemporaryRepository()
        var options = ServerOptions(repositoryPaths: [repository.path])
        options.modelControlMode = .explicit
        options.startupModels = ["*", "m"]
        let error = #expect(throws: HalcyonError.self) { try InferenceServer(options) }
        #expect(error?.message.hasPrefix("Wildcard model name '*' must be the ONLY startup model") == true)
    }

    // MARK: Giving up

    /// A server whose model `hangs` hangs in its first execution.
    private func hangingServer(
        _ repository: TemporaryRepository, _ gate: Gate, _ backend: ScriptedBackend? = nil,
        clock: any SchedulingClock = SystemClock(), timeout: Duration = .zero
    ) throws -> InferenceServer {
        try repository.add("hangs", backend: "scripted")
        try repository.add("other", backend: "identity")
        var options = ServerOptions(repositoryPaths: [repository.path])
        options.modelControlMode = .explicit
        options.backends = [backend ?? Self.backend(gate, holding: 0)]
        options.modelLoadCount = 1
        options.modelLoadTimeout = timeout
        return try InferenceServer(options, clock: clock)
    }

    @Test("An unload gives up the loads that came before it, and what hangs holds up nobody afterwards")
    func givenUpByUnload() async throws {
        let gate = Gate()
        let repository = try TemporaryRepository()
        let server = try hangingServer(repository, gate)
        let loads = (0..<2).map { _ in Task { try await server.loadModel("hangs") } }
        await gate.waitForArrivals(1)
        try await server.unloadModel("hangs")
        for load in loads {
            let error = await error { try await load.value }
            #expect(error?.message.hasPrefix("failed to load 'hangs', no version is available: ") == true)
        }
        #expect(server.modelIndex().first?.reason == "unloaded")
        try await server.loadModel("other")
        // It may not have come to the end of its start before.
        try await server.waitUntilReady()
        #expect(server.isReady)
        #expect(server.hasHangingLoads)
        gate.open()
        #expect(await server.shutdown().isClean)
        #expect(!server.hasHangingLoads)
    }

    @Test("Whoever goes away gives up its load")
    func givenUpByCancellation() async throws {
        let gate = Gate()
        let repository = try TemporaryRepository()
        let server = try hangingServer(repository, gate)
        let load = Task { try await server.loadModel("hangs") }
        await gate.waitForArrivals(1)
        load.cancel()
        #expect(await error { try await load.value }?.code == .cancelled)
        try await server.loadModel("other")
        gate.open()
        #expect(await server.shutdown().isClean)
    }

    @Test("A load has its time, and one that takes long holds up the others for half a minute only")
    func times() async throws {
        let gate = Gate()
        let clock = ManualClock()
        let repository = try TemporaryRepository()
        let backend = Self.backend(gate, holding: 0)
        let server = try hangingServer(repository, gate, backend, clock: clock, timeout: .seconds(100))
        let load = Task { try await server.loadModel("hangs") }
        await gate.waitForArrivals(1)
        // Past the half minute, and well before what any load may take.
        clock.advance(by: 40_000_000_000)
        try await server.loadModel("other")
        clock.advance(by: 61_000_000_000)
        let end = await error { try await load.value }
        #expect(end?.message.contains("more than 100 s (--model-load-timeout-secs)") == true)
        // What is in a process of its own ends with that.
        #expect(backend.givenUpVersions == [1])
        gate.open()
        while server.hasHangingLoads { await Task.yield() }
        await server.shutdown()
    }

    @Test("A server that stops gives up its loads")
    func givenUpByStopping() async throws {
        let gate = Gate()
        let repository = try TemporaryRepository()
        let server = try hangingServer(repository, gate)
        let load = Task { try await server.loadModel("hangs") }
        await gate.waitForArrivals(1)
        let shutdown = Task { await server.shutdown() }
        let error = await error { try await load.value }
        #expect(error?.message.contains("the server is being stopped") == true)
        gate.open()
        #expect(await shutdown.value.isClean)
    }
}
