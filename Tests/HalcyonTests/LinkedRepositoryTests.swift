import Foundation
import Halcyon
import Testing

@Suite("Repositories that are links, and models that several repositories have")
struct LinkedRepositoryTests {
    private func options(_ paths: [String], _ mode: ServerOptions.ModelControlMode) -> ServerOptions {
        var options = ServerOptions(repositoryPaths: paths)
        options.modelControlMode = mode
        options.repositoryPollInterval = .seconds(3600)
        return options
    }

    private func link(_ path: String, to target: String) throws {
        // As a deployment does it: made beside, and put in place in one step.
        try FileManager.default.createSymbolicLink(atPath: path + ".next", withDestinationPath: target)
        #expect(rename(path + ".next", path) == 0)
    }

    @Test(
        "A repository that is a link which is swapped is followed",
        arguments: [ServerOptions.ModelControlMode.poll, .explicit])
    func swapped(mode: ServerOptions.ModelControlMode) async throws {
        let folder = try TemporaryRepository()
        try folder.add("rev1/m", backend: "identity")
        try folder.add("rev2/m", backend: "identity", dimensions: 7)
        try folder.add("rev2/n", backend: "identity")
        let current = folder.path + "/current"
        try link(current, to: "rev1")
        let server = try InferenceServer(options([current], mode))
        try await server.waitUntilReady()
        if mode == .explicit { try await server.loadModel("m") }
        #expect(try server.modelMetadata("m").inputs[0].shape == [-1, 4])
        try link(current, to: "rev2")
        try FileManager.default.removeItem(atPath: folder.path + "/rev1")
        if mode == .explicit {
            for name in ["m", "n"] { try await server.loadModel(name) }
        } else {
            for _ in 0..<2 { server.pollRepositories() }
        }
        #expect(try server.modelMetadata("m").inputs[0].shape == [-1, 7])
        #expect(server.isModelReady("n"))
        #expect(await server.shutdown().isClean)
    }

    @Test("A model's folder that is a link is followed when it is swapped, also where all looks the same")
    func swappedModel() async throws {
        let folder = try TemporaryRepository()
        for revision in ["a", "b"] {
            try folder.add("\(revision)", backend: "identity")
            // As some stores make files: all of one time.
            for name in ["config.pbtxt", "labels.txt"] {
                try FileManager.default.setAttributes(
                    [.modificationDate: Date(timeIntervalSince1970: 1)],
                    ofItemAtPath: "\(folder.path)/\(revision)/\(name)")
            }
        }
        try FileManager.default.createDirectory(atPath: folder.path + "/r", withIntermediateDirectories: true)
        try link(folder.path + "/r/m", to: "../a")
        var options = options([folder.path + "/r"], .poll)
        options.followsLinks = true
        let server = try InferenceServer(options)
        try await server.waitUntilReady()
        let before = try server.statistics(model: "m").models.count
        #expect(before == 1)
        try folder.write("b", try folder.text("b").replacingOccurrences(of: "dims: [ 4 ]", with: "dims: [ 9 ]"))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: "\(folder.path)/b/config.pbtxt")
        try link(folder.path + "/r/m", to: "../b")
        for _ in 0..<2 { server.pollRepositories() }
        #expect(try server.modelMetadata("m").inputs[0].shape == [-1, 9])
        #expect(await server.shutdown().isClean)
    }

    @Test("A name that becomes ambiguous says so, and a load of it loads all")
    func ambiguous() async throws {
        let repositories = [try TemporaryRepository(), try TemporaryRepository()]
        let ensemble = """
            platform: "ensemble"
            max_batch_size: 8
            input { name: "IN" data_type: TYPE_FP32 dims: 4 }
            output { name: "OUT" data_type: TYPE_FP32 dims: 4 }
            ensemble_scheduling {
              step { model_name: "m" input_map { key: "IN" value: "IN" } output_map { key: "OUT" value: "OUT" } }
            }
            """
        for (index, repository) in repositories.enumerated() {
            try repository.add("all\(index)", configuration: ensemble)
        }
        try repositories[1].add("m", backend: "identity")
        var options = options(repositories.map(\.path), .explicit)
        options.allowsSameModelNames = true
        let server = try InferenceServer(options)
        for name in ["all0", "all1"] { try await server.loadModel(name) }
        _ = try await server.infer(try request("m", 1))
        try repositories[0].add("m", backend: "identity")
        try await server.loadModel("all0")
        let error = await #expect(throws: HalcyonError.self) { try await server.infer(try request("m", 1)) }
        #expect(error?.message.contains("ambiguity") == true)
        for name in ["all0", "all1"] { _ = try await server.infer(try request(name, 1)) }
        try await server.unloadModel("m")
        #expect(server.modelIndex().filter { $0.name == "m" }.map(\.state) == [.unavailable, .unavailable])
        try await server.loadModel("m")
        #expect(server.modelIndex().filter { $0.name == "m" }.map(\.state) == [.ready, .ready])
        for repository in repositories { _ = try await server.infer(try request("\(repository.path)/m", 1)) }
        #expect(await server.shutdown().isClean)
    }
}
