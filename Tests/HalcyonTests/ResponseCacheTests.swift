import Halcyon
import HalcyonTestKit
import Testing

@Suite("Response cache of a server")
struct CachedServerTests {
    @Test("Equal requests run once, and a request that differs in anything runs itself")
    func hits() async throws {
        let repository = try TemporaryRepository()
        let echo = ScriptedBackend.echo()
        let runs = Collected<Float>()
        let backend = ScriptedBackend { batch, identity in
            runs.add(try batch.input("IN").elements(as: Float.self)[0])
            return try echo(&batch, identity)
        }
        try repository.add("cached", backend: "scripted", lines: "response_cache { enable: true }")
        let server = try startServerWithoutWarmUp(repository, backends: [backend], cacheByteSize: 1 << 20)
        try await server.loadModel("cached")
        for value: Float in [1, 1, 2, 1] {
            let response = try await server.infer(try request("cached", value))
            #expect(try response.output("OUT").elements(as: Float.self) == [value, value, value, value])
        }
        _ = try await server.infer(try request("cached", 1, items: 2))
        #expect(runs.values == [1, 2, 1])
        let statistics = try server.statistics(model: "cached").models[0]
        #expect(statistics.cacheHit.count == 2 && statistics.cacheMiss.count == 3)
        #expect(statistics.success.count == 5 && statistics.executionCount == 3)
        #expect(server.cacheUsage?.entries == 3)
        // A load that finds nothing new lets the model be, with its answers; what is loaded again answers anew.
        try await server.loadModel("cached")
        #expect(server.cacheUsage?.entries == 3)
        try repository.add(
            "cached", backend: "scripted", lines: "response_cache { enable: true }\ndynamic_batching { }")
        try await server.loadModel("cached")
        _ = try await server.infer(try request("cached", 1))
        #expect(runs.values == [1, 2, 1, 1])
        await server.shutdown()
    }

    @Test("Errors are not kept, and a server without a cache serves all the same")
    func without() async throws {
        let repository = try TemporaryRepository()
        try repository.add("cached", backend: "identity", lines: "response_cache { enable: true }")
        let server = try startServer(repository)
        try await server.loadModel("cached")
        for _ in 0..<2 { _ = try await server.infer(try request("cached", 1)) }
        #expect(server.cacheUsage == nil)
        #expect(try server.statistics(model: "cached").models[0].executionCount == 2)
        await server.shutdown()
    }

    @Test("What others may change while it is worked on is not answered from memory")
    func shared() async throws {
        let repository = try TemporaryRepository()
        try repository.add("cached", backend: "identity", lines: "response_cache { enable: true }")
        let server = try startServerWithoutWarmUp(repository, backends: [], cacheByteSize: 1 << 20)
        try await server.loadModel("cached")
        var wanted = try request("cached", 1)
        let bytes = wanted.inputs[0].data
        let storage = TensorStorage(owning: bytes.baseAddress, byteCount: bytes.byteCount, isShared: true) { _ in
            withExtendedLifetime(bytes) {}
        }
        wanted.inputs[0].data = TensorBuffer(storage)
        for _ in 0..<2 { _ = try await server.infer(wanted) }
        #expect(try server.statistics(model: "cached").models[0].executionCount == 2)
        #expect(server.cacheUsage?.entries == 0)
        await server.shutdown()
    }
}
