import Halcyon
import HalcyonTestKit
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing

@Suite("What a backend says of its instances", .enabled(if: CLibrary.compiler != nil, "no C compiler"))
struct InstancePreferenceTests {
    private static let tensors = """
        backend: "instances"
        input [ { name: "IN" data_type: TYPE_INT32 dims: [ -1 ] } ]
        output [ { name: "OUT" data_type: TYPE_INT32 dims: [ -1 ] } ]

        """

    /// - Returns: the groups of the model as it is served.
    private func load(_ text: String, _ definitions: [String]) async throws -> [InstanceGroup] {
        let folder = try ScratchFolder()
        try folder.makeFolder("models/m/1")
        try folder.write(Self.tensors + text, to: "models/m/config.pbtxt")
        let here = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        try CLibrary.compile(
            "/\(here)/Backends/instances.c", to: "\(folder.path)/backends/instances/libtriton_instances.so", definitions
        )
        var options = ServerOptions(repositoryPaths: ["\(folder.path)/models"])
        options.backendDirectory = "\(folder.path)/backends"
        let server = try InferenceServer(options)
        do {
            try await server.waitUntilReady()
            let groups = try server.modelConfiguration("m").instanceGroups
            await server.shutdown()
            return groups
        } catch {
            await server.shutdown()
            throw error
        }
    }

    @Test("a configuration without groups gets the first preferred one that can be")
    func preferred() async throws {
        let groups = try await load("", ["TOGETHER=0"])
        #expect(groups == [InstanceGroup(name: "m", kind: .cpu, count: 3)])
    }

    @Test("groups that are written stay as they are")
    func written() async throws {
        let groups = try await load("instance_group [ { name: \"g\" count: 2 kind: KIND_CPU } ]", ["TOGETHER=0"])
        #expect(groups == [InstanceGroup(name: "g", kind: .cpu, count: 2)])
    }

    @Test("instances are initialised at the same time where the backend says so")
    func together() async throws { #expect(try await load("", ["TOGETHER=1"]).count == 1) }

    @Test("where one of several fails, the load does, with its sentence", arguments: [0, 1])
    func failing(together: Int) async throws {
        let error = await #expect(throws: HalcyonError.self) {
            try await load("", ["TOGETHER=\(together)", "FAILING"])
        }
        #expect(error?.message.contains("one of them fails") == true, "\(error?.message ?? "")")
    }

    @Test("of a preferred group's GPUs those are taken that there are")
    func gpus() {
        let preferred = [
            InstanceGroup(kind: .gpu, count: 2, gpus: [1, 7]), InstanceGroup(kind: .cpu, count: 3),
        ]
        let ready = GPUPlacement(numbers: [0, 1], engine: .ready)
        #expect(ready.first(of: preferred) == InstanceGroup(kind: .gpu, count: 2, gpus: [1]))
        #expect(GPUPlacement(numbers: [0], engine: .ready).first(of: preferred)?.kind == .cpu)
        #expect(GPUPlacement(numbers: [0, 1], engine: .unequipped).first(of: preferred)?.kind == .cpu)
        #expect(ready.first(of: [InstanceGroup(kind: .gpu)]) == InstanceGroup(kind: .gpu))
        #expect(GPUPlacement.none.first(of: []) == nil)
    }
}
