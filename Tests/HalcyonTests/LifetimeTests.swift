import Halcyon
import HalcyonTestKit
import Testing
import Threads

@Suite("A server's end, whoever forgets about it") struct LifetimeTests {
    /// What a model's backend keeps until the last of its models has gone.
    private final class Witness: Sendable {
        private let freed: Collected<Bool>
        init(_ freed: Collected<Bool>) { self.freed = freed }
        deinit { freed.add(true) }
    }

    private static func backend(_ freed: Collected<Bool>, gate: Gate? = nil) -> ScriptedBackend {
        let witness = Witness(freed)
        return ScriptedBackend { batch, _ in
            gate?.pass()
            return try withExtendedLifetime(witness) {
                let input = try batch.input("IN")
                return [try Tensor(name: "OUT", shape: input.shape, try input.elements(as: Float.self))]
            }
        }
    }

    /// Serves a request, and releases the server without a word.
    private static func serveAndForget(
        _ mode: ServerOptions.ModelControlMode, _ freed: Collected<Bool>
    ) async throws {
        let repository = try TemporaryRepository()
        try repository.add("m", backend: "scripted")
        var options = ServerOptions(repositoryPaths: [repository.path])
        options.modelControlMode = mode
        options.repositoryPollInterval = .seconds(3600)
        options.backends = [backend(freed)]
        let server = try InferenceServer(options)
        if mode == .explicit { try await server.loadModel("m") }
        try await server.waitUntilReady()
        #expect(try await server.infer(try request("m", 2)).outputs.count == 1)
    }

    @Test(.timeLimit(.minutes(1)), arguments: ServerOptions.ModelControlMode.allCases)
    func `A server that is let go of frees its models and ends its threads`(
        mode: ServerOptions.ModelControlMode
    ) async throws {
        let freed = Collected<Bool>()
        try await Self.serveAndForget(mode, freed)
        #expect(await freed.wait(for: 1) == [true])
    }

    private static func submitAndForget(
        _ gate: Gate, _ freed: Collected<Bool>, _ answers: Collected<Bool>
    ) async throws {
        let repository = try TemporaryRepository()
        try repository.add("m", backend: "scripted")
        let server = try startServerWithoutWarmUp(repository, backends: [backend(freed, gate: gate)])
        try await server.loadModel("m")
        for _ in 0..<3 {
            server.submit(try request("m", 1)) { result in answers.add((try? result.get()) != nil) }
        }
        await gate.waitForArrivals(1)
    }

    @Test(.timeLimit(.minutes(1)))
    func `Requests that a server has when it is let go of are answered`() async throws {
        let (gate, freed, answers) = (Gate(), Collected<Bool>(), Collected<Bool>())
        try await Self.submitAndForget(gate, freed, answers)
        gate.open()
        #expect(await answers.wait(for: 3) == [true, true, true])
        _ = await freed.wait(for: 1)
    }

    @Test(.timeLimit(.minutes(1)))
    func `A server that can't start leaves nothing behind`() async throws {
        let freed = Collected<Bool>()
        let repository = try TemporaryRepository()
        var options = ServerOptions(repositoryPaths: [repository.path])
        options.startupModels = ["m"]
        options.exitTimeout = .seconds(3600)
        options.backends = [Self.backend(freed)]
        #expect(throws: HalcyonError.self) { _ = try InferenceServer(options) }
        options.backends = []
        _ = await freed.wait(for: 1)
    }

    @Test(.timeLimit(.minutes(1)))
    func `run() ends with what it is told to wait for, and the server has stopped then`() async throws {
        let server = try startServer(try TemporaryRepository())
        let report = await server.run(until: {})
        #expect(report.isClean && !server.isLive)
    }

    @Test(.timeLimit(.minutes(1)))
    func `run() ends when its task is cancelled, or when somebody shuts the server down`() async throws {
        let cancelled = try startServer(try TemporaryRepository())
        let task = Task { await cancelled.run() }
        task.cancel()
        #expect(await task.value.isClean)
        #expect(!cancelled.isLive)
        let stopped = try startServer(try TemporaryRepository())
        async let report = stopped.run()
        #expect(await stopped.shutdown().isClean)
        #expect(await report.isClean)
        #expect(!stopped.isLive)
    }
}
