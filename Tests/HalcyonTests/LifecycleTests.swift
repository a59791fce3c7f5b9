import Foundation
import Halcyon
import HalcyonTestKit
import Testing

@Suite("Models that come and go")
struct LifecycleTests {
    @Test(
        "A polled repository's models are loaded when they have settled, anew when they change, and unloaded when they go"
    )
    func polling() async throws {
        let repository = try TemporaryRepository()
        try repository.add("first", backend: "identity")
        var options = ServerOptions(repositoryPaths: [repository.path])
        options.modelControlMode = .poll
        options.repositoryPollInterval = .seconds(3600)
        let server = try InferenceServer(options)
        try await server.waitUntilReady()
        try repository.add("second", backend: "identity")
        server.pollRepositories()
        #expect(!server.isModelReady("second"), "somebody may still be writing it")
        server.pollRepositories()
        #expect(server.isModelReady("second"))
        try repository.add("first", backend: "identity", version: 2)
        server.pollRepositories()
        #expect(try server.modelVersion("first") == 1)
        server.pollRepositories()
        #expect(try server.modelVersion("first") == 2)
        try FileManager.default.removeItem(atPath: "\(repository.path)/second")
        server.pollRepositories()
        server.pollRepositories()
        #expect(!server.isModelReady("second"))
        #expect(await server.shutdown().isClean)
    }

    @Test("A new version that is broken leaves the old one in place, and the index says why")
    func broken() async throws {
        let repository = try TemporaryRepository()
        try repository.add("model", backend: "identity")
        var options = ServerOptions(repositoryPaths: [repository.path])
        options.modelControlMode = .poll
        options.repositoryPollInterval = .seconds(3600)
        let server = try InferenceServer(options)
        try await server.waitUntilReady()
        try repository.add("model", configuration: "backend: \"nosuch\"")
        server.pollRepositories()
        server.pollRepositories()
        #expect(server.isModelReady("model"))
        #expect(server.modelIndex().first?.reason.contains("nosuch") == true)
        await server.shutdown()
    }

    @Test("Two hundred swaps under load lose no request, and every answer is from a version that was live")
    func swaps() async throws {
        let repository = try TemporaryRepository()
        try repository.add("echo", backend: "identity", lines: "dynamic_batching { }\ninstance_group [ { count: 2 } ]")
        try repository.add("echo", backend: "identity", version: 2, lines: "dynamic_batching { }")
        let server = try startServer(repository)
        try await server.loadModel("echo")
        let stop = Collected<Bool>()
        let versions = Collected<Int64>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for value in 0..<8 {
                group.addTask {
                    while stop.values.isEmpty {
                        let response = try await server.infer(try request("echo", Float(value)))
                        #expect(try response.output("OUT").elements(as: Float.self)[0] == Float(value))
                        versions.add(response.modelVersion)
                    }
                }
            }
            group.addTask {
                for swap in 0..<200 {
                    let live = swap.isMultiple(of: 2) ? 1 : 2
                    try repository.add(
                        "echo", backend: "identity", version: live,
                        lines: "dynamic_batching { }\nversion_policy { specific { versions: [ \(live) ] } }")
                    try await server.loadModel("echo")
                }
                stop.add(true)
            }
            try await group.waitForAll()
        }
        #expect(Set(versions.values) == [1, 2])
        #expect(await server.shutdown().isClean)
    }
}
