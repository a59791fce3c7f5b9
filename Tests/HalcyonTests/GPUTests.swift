import CUDATestKit
import Foundation
import Halcyon
import HalcyonTestKit
import Testing

@testable import CUDADriver

/// A backend whose instances run on GPUs as well, and say where they ran.
private struct AnywhereBackend: Backend {
    let scripted: ScriptedBackend
    var name: String { scripted.name }
    var modelFilenames: [String] { [] }
    var gpuSupport: GPUSupport { .available }

    func openModel(_ source: ModelSource) throws -> any BackendModel { try scripted.openModel(source) }
}

/// The server on a machine with GPUs, which a fake driver stands for.
@Suite("A server with GPUs")
struct GPUTests {
    private func server(
        _ repository: TemporaryRepository, _ gpus: GPUs, backends: [any Backend] = [], cacheByteSize: Int = 0
    ) throws -> InferenceServer {
        var options = ServerOptions(repositoryPaths: [repository.path])
        options.modelControlMode = .explicit
        options.backends = backends
        options.warmsUpModels = false
        options.responseCacheByteSize = cacheByteSize
        options.gpus = gpus
        return try InferenceServer(options)
    }

    /// Runs with a server on the fake driver's GPU, and waits until all that it had is released: threads that end may
    /// be the last to.
    private func withServer(
        _ repository: TemporaryRepository, backends: [any Backend] = [], cacheByteSize: Int = 0,
        _ body: (InferenceServer) async throws -> Void
    ) async throws {
        let (_, usage) = try await FakeDriver.run {
            weak var gpus: GPUs?
            do {
                let server = try server(
                    repository, FakeDriver.gpus(), backends: backends, cacheByteSize: cacheByteSize)
                gpus = server.gpus
                try await body(server)
                await server.shutdown()
            }
            for _ in 0..<1_000_000 where gpus != nil { await Task.yield() }
            #expect(gpus == nil)
        }
        #expect(usage.isNothing)
    }

    @Test("Inputs of a model on the processor are best where they are, and those of none are nowhere")
    func placingForAModel() async throws {
        let repository = try TemporaryRepository()
        try repository.add("echo", backend: "identity")
        let gpus = GPUs { () throws(HalcyonError) in throw HalcyonError(.unavailable, "there is no driver") }
        let server = try server(repository, gpus)
        try await server.loadModel("echo")
        let buffer = TensorBuffer(copying: [1, 2, 3])
        #expect(try server.place(buffer, forInputsOf: "echo").baseAddress == buffer.baseAddress)
        let error = #expect(throws: HalcyonError.self) { try server.place(buffer, forInputsOf: "other") }
        #expect(error?.code == .notFound)
        await server.shutdown()
    }

    @Test("Without a driver nothing is on a GPU, and who wants one is told why")
    func without() async throws {
        let repository = try TemporaryRepository()
        try repository.add("echo", backend: "identity")
        let gpus = GPUs { () throws(HalcyonError) in throw HalcyonError(.unavailable, "there is no driver") }
        let server = try server(repository, gpus)
        try await server.loadModel("echo")
        #expect(try server.modelConfiguration("echo").instanceGroups.map(\.kind) == [.cpu])
        let missing = HalcyonError(.unavailable, "there is no driver")
        #expect(throws: missing) { try server.gpuNames() }
        #expect(throws: missing) { try server.place(TensorBuffer(copying: [1]), in: .gpu(0)) }
        var request = try request("echo", 1)
        request.outputPlacement = .gpu(0)
        #expect(throws: missing) { try server.inferBlocking(request) }
        #expect(try server.inferBlocking(try HalcyonTests.request("echo", 2)).outputs.count == 1)
        await server.shutdown()
    }

    @Test("Engines of the processor take inputs from a GPU and give outputs there, one by one and in batches")
    func processorEngine() async throws {
        let repository = try TemporaryRepository()
        try repository.add("echo", backend: "identity", lines: "dynamic_batching { }")
        try repository.add("cached", backend: "identity", lines: "response_cache { enable: true }")
        try await withServer(repository, cacheByteSize: 1 << 20) { server in
            #expect(try server.gpuNames() == [0: "Fake GPU 0"])
            for model in ["echo", "cached"] {
                try await server.loadModel(model)
                #expect(try server.modelConfiguration(model).instanceGroups.map(\.kind) == [.cpu])
                for placement in [MemoryPlacement.gpu(0), .pinned, .cpu] {
                    for _ in 0..<2 {
                        var request = try request(model, 7)
                        request.inputs[0].data = try server.place(request.inputs[0].data, in: placement)
                        request.outputPlacement = placement
                        let output = try server.inferBlocking(request).output("OUT")
                        #expect(output.data.placement == placement)
                        let onHost = try server.place(output.data, in: .cpu)
                        #expect(onHost.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) } == [7, 7, 7, 7])
                    }
                }
            }
        }
    }

    @Test("Instances are spread over the GPUs, inputs stay there, and batches are gathered there")
    func placed() async throws {
        let repository = try TemporaryRepository()
        try repository.add("m", backend: "anywhere", lines: "dynamic_batching { }")
        let gate = Gate()
        let seen = Collected<(gpu: Int?, placement: MemoryPlacement, size: Int)>()
        let backend = AnywhereBackend(
            scripted: ScriptedBackend(name: "anywhere") { batch, identity in
                if batch.batchSize == 3 { gate.pass() }
                seen.add((identity.gpu, batch.inputs[0].data.placement, batch.batchSize))
                var output = batch.inputs[0]
                output.name = "OUT"
                output.data = try output.data.onHost()
                return [output]
            })
        try await withServer(repository, backends: [backend]) { server in
            try await server.loadModel("m")
            let groups = try server.modelConfiguration("m").instanceGroups
            #expect(groups.map(\.kind) == [.gpu] && groups.map(\.gpus) == [[0]])
            let bytes = TensorBuffer(copying: [UInt8]([1, 2, 3]))
            let best = try server.place(bytes, forInputsOf: "m")
            #expect(best.placement == .pinned && best.withUnsafeBytes { Array($0) } == [1, 2, 3])
            let outcomes = Collected<Result<InferenceResponse, HalcyonError>>()
            func submit(_ value: Float, items: Int, _ placement: MemoryPlacement) throws {
                var request = try request("m", value, items: items)
                request.inputs[0].data = try server.place(request.inputs[0].data, in: placement)
                server.submit(request) { outcomes.add($0) }
            }
            // The first keeps the instance busy until the others wait.
            try submit(0, items: 3, .gpu(0))
            await gate.waitForArrivals(1)
            try submit(1, items: 1, .gpu(0))
            try submit(2, items: 1, .gpu(0))
            gate.open()
            let first = await outcomes.wait(for: 3)
            #expect(seen.values.map(\.placement) == [.gpu(0), .gpu(0)])
            #expect(seen.values.map(\.size) == [3, 2] && seen.values.allSatisfy { $0.gpu == 0 })
            let values = try first.map { try $0.get().output("OUT").elements(as: Float.self)[0] }
            #expect(values.sorted() == [0, 1, 2])
        }
    }

    @Test("A GPU that is not there, and an engine that can't use one, are load errors")
    func refused() async throws {
        let repository = try TemporaryRepository()
        try repository.add("far", backend: "anywhere", lines: "instance_group { kind: KIND_GPU gpus: 3 }")
        try repository.add("processor", backend: "identity", lines: "instance_group { kind: KIND_GPU }")
        try repository.add(
            "accelerated", backend: "identity",
            lines: "optimization { execution_accelerators { gpu_execution_accelerator { name: \"tensorrt\" } } }")
        let backend = AnywhereBackend(
            scripted: ScriptedBackend(name: "anywhere", script: ScriptedBackend.echo()))
        try await withServer(repository, backends: [backend]) { server in
            func message(_ name: String) async -> String {
                do {
                    try await server.loadModel(name)
                    return ""
                } catch { return error.message }
            }
            #expect(await message("far").contains("specifies invalid or unsupported gpu id 3. GPUs with"))
            #expect(await message("processor").contains("its backend runs models on the processor only"))
            #expect(
                await message("accelerated")
                    == "load failed for model 'accelerated': model 'accelerated': "
                    + "optimization.execution_accelerators names 'tensorrt', and the backend 'identity' takes none: "
                    + "leave it out, or name the backend onnxruntime")
        }
    }
}
