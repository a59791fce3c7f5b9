import Halcyon
import HalcyonTestKit
import Testing

@Suite("Versions that are slow to go")
struct DrainTests {
    private static func backend(_ gate: Gate) -> ScriptedBackend {
        let echo = ScriptedBackend.echo()
        return ScriptedBackend { batch, identity in
            if try batch.inputs[0].elements(as: Float.self)[0] == 2 { gate.pass() }
            return try echo(&batch, identity)
        }
    }

    @Test("One that does not finish its requests holds up neither later loads and unloads, nor other models")
    func holdsUpNobody() async throws {
        let gate = Gate()
        let repository = try TemporaryRepository()
        try repository.add("slow", backend: "scripted")
        try repository.add("other", backend: "identity")
        var options = ServerOptions(repositoryPaths: [repository.path])
        options.modelControlMode = .explicit
        options.backends = [Self.backend(gate)]
        options.modelLoadCount = 1
        let server = try InferenceServer(options)
        try await server.loadModel("slow")
        let held = Task { try await server.infer(try request("slow", 2)).modelVersion }
        await gate.waitForArrivals(1)
        var waiting: [Task<Void, any Error>] = []
        for version in 2...3 {
            try repository.add("slow", backend: "scripted", version: version)
            waiting.append(Task { try await server.loadModel("slow") })
            while try server.modelVersion("slow") != Int64(version) { await Task.yield() }
        }
        try await server.loadModel("other")
        #expect(try await server.infer(try request("slow", 1)).modelVersion == 3)
        try await server.unloadModel("slow")
        #expect(!server.isModelReady("slow"))
        try await server.loadModel("slow")
        #expect(server.isModelReady("slow"))
        gate.open()
        #expect(try await held.value == 1)
        for task in waiting { try await task.value }
        #expect(await server.shutdown().isClean)
    }

    @Test("The exit timeout holds, though a version out of service has a request that does not end")
    func exitTimeout() async throws {
        let gate = Gate()
        let clock = ManualClock()
        let repository = try TemporaryRepository()
        try repository.add("slow", backend: "scripted")
        let server = try startServer(
            repository, backends: [Self.backend(gate)], clock: clock, exitTimeout: .seconds(1))
        try await server.loadModel("slow")
        let held = Task { try await server.infer(try request("slow", 2)) }
        await gate.waitForArrivals(1)
        let queued = Task { try await server.infer(try request("slow", 3)) }
        while server.gauges().first?.pendingRequests != 1 { await Task.yield() }
        try repository.add("slow", backend: "scripted", version: 2)
        let load = Task { try await server.loadModel("slow") }
        while try server.modelVersion("slow") != 2 { await Task.yield() }
        let isOver = Collected<Bool>()
        let shutdown = Task {
            let report = await server.shutdown()
            isOver.add(true)
            return report
        }
        while isOver.values.isEmpty {
            clock.advance(by: 100_000_000)
            await Task.yield()
        }
        #expect(await shutdown.value.droppedRequests == ["slow": 1])
        let dropped = await #expect(throws: HalcyonError.self) { try await queued.value }
        #expect(dropped?.code == .unavailable)
        gate.open()
        _ = try await held.value
        try await load.value
    }
}
