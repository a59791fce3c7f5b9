import Foundation
import Halcyon
import HalcyonTestKit
import Testing

@Suite("Models that come and go")
struct LifecycleTests {
    @Test(
        "A polled repository's models are loaded when they have settled, again when they change, unloaded when they go"
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
        // One that never served and whose folder goes is no failure any more.
        try repository.add("bad", configuration: "backend: \"nosuch\"")
        for _ in 0..<2 { server.pollRepositories() }
        #expect(!server.isReady)
        try FileManager.default.removeItem(atPath: "\(repository.path)/bad")
        for _ in 0..<2 { server.pollRepositories() }
        #expect(server.isReady)
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

    @Test("Models of one name in several repositories serve side by side, and ensembles use those of their own")
    func namespaces() async throws {
        let repositories = [try TemporaryRepository(), try TemporaryRepository()]
        let ensemble = """
            platform: "ensemble"
            max_batch_size: 8
            input { name: "IN" data_type: TYPE_FP32 dims: 4 }
            output { name: "RESULT" data_type: TYPE_FP32 dims: 4 }
            ensemble_scheduling {
              step { model_name: "scale" input_map { key: "IN" value: "IN" } output_map { key: "OUT" value: "RESULT" } }
            }
            """
        for (index, repository) in repositories.enumerated() {
            try repository.add("scale", backend: "scale\(index)")
            try repository.add("all\(index)", configuration: ensemble)
        }
        let backends = (0..<2).map { index in
            ScriptedBackend(name: "scale\(index)") { batch, _ in
                let values = try batch.inputs[0].elements(as: Float.self).map { $0 * Float(index + 2) }
                return [try Tensor(name: "OUT", shape: batch.inputs[0].shape, values)]
            }
        }
        var options = ServerOptions(repositoryPaths: repositories.map(\.path))
        options.backends = backends
        let strict = try InferenceServer(options)
        await #expect(throws: HalcyonError.self) { try await strict.waitUntilReady() }
        await strict.shutdown()
        options.allowsSameModelNames = true
        options.modelControlMode = .poll
        options.repositoryPollInterval = .seconds(3600)
        let server = try InferenceServer(options)
        try await server.waitUntilReady()
        for index in 0..<2 {
            let response = try await server.infer(try request("all\(index)", 1))
            #expect(try response.output("RESULT").elements(as: Float.self)[0] == Float(index + 2))
        }
        #expect(server.modelIndex().map(\.name).sorted() == ["all0", "all1", "scale", "scale"])
        let ambiguous = await #expect(throws: HalcyonError.self) { try await server.infer(try request("scale", 1)) }
        #expect(ambiguous?.message.contains("ambiguity: several models have that name, write one of /") == true)
        let root = repositories[1].path
        let key = try #require(ambiguous?.message.split(separator: " ").last { $0.contains(root) })
        let response = try await server.infer(try request(key.replacingOccurrences(of: ",", with: ""), 1))
        #expect(try response.output("OUT").elements(as: Float.self)[0] == 3)
        // Where only one is left, its name is enough again.
        try FileManager.default.removeItem(atPath: "\(repositories[0].path)/scale")
        for _ in 0..<2 { server.pollRepositories() }
        for model in ["scale", "all1"] {
            let output = try await server.infer(try request(model, 1)).outputs[0]
            #expect(try output.elements(as: Float.self)[0] == 3)
        }
        #expect(server.modelIndex().map(\.name).sorted() == ["all0", "all1", "scale"])
        #expect(await server.shutdown().isClean)
    }
}
