import CFakeCUDA
import CUDATestKit
import Foundation
import HalcyonTestKit
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing
import Threads

@testable import CUDADriver
@testable import ONNXRuntimeBackend

/// Instances on a GPU whose memory is the processor's: the copies, the binding and the times are the real ones, and the
/// engine computes on the processor.
@Suite(.enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
struct GPUInstanceTests {
    private let runtime: Runtime

    init() throws { runtime = try Runtime(library: Library.open(directories: [Engine.directory], systemNames: [])) }

    private func instance(_ model: ONNXModel, on gpus: GPUs, shared: Bool = true) throws -> ONNXRuntimeGPUInstance {
        let gpu = try gpus.gpu(0)
        let stream = try CUDAStream(gpu.context)
        let parameters = try ModelParameters(backend: [:], model: [:], modelName: "m")
        let session = try Session(
            runtime: runtime, path: model.write(),
            settings: SessionSettings(
                graphOptimization: .all, intraOpThreads: 1, interOpThreads: 1, parameters: parameters),
            stream: shared ? nil : stream)
        return try ONNXRuntimeGPUInstance(
            session,
            on: .init(gpu: gpu, stream: stream, memory: gpus, information: runtime.memory(ofGPU: nil)), modelName: "m")
    }

    private func input(_ values: [Float], _ placement: MemoryPlacement, _ gpus: GPUs) throws -> Tensor {
        var tensor = try Tensor(name: "x", shape: [values.count / 2, 2], values)
        tensor.data = try gpus.place(tensor.data, in: placement)
        return tensor
    }

    @Test(arguments: [MemoryPlacement.cpu, .pinned, .gpu(0), .gpu(1)], [true, false])
    func `Inputs come from everywhere, and outputs go to page-locked memory`(
        placement: MemoryPlacement, shared: Bool
    ) async throws {
        let (_, usage) = try await FakeDriver.run(FakeDriver.script(devices: 2)) {
            let gpus = FakeDriver.gpus()
            let instance = try instance(.twoOutputs, on: gpus, shared: shared)
            for round in 1...3 {
                let value = Float(round)
                let outputs = try instance.run([input([value, 2, 3, 4], placement, gpus)])
                #expect(outputs["doubled"]?.data.placement == .pinned)
                #expect(try outputs["doubled"]?.elements(as: Float.self) == [2 * value, 4, 6, 8])
                #expect(try outputs["tripled"]?.elements(as: Float.self) == [3 * value, 6, 9, 12])
            }
            #expect(gpus.pinnedUsage.used == (placement == .pinned ? 0 : 0))
        }
        #expect(usage.isNothing)
    }

    @Test(arguments: [true, false])
    func `Inputs have arrived before the engine gets them, whoever has the stream`(shared: Bool) async throws {
        let (_, usage) = try await FakeDriver.run(FakeDriver.script { $0.copies_are_late = 1 }) {
            let gpus = FakeDriver.gpus()
            let instance = try instance(.doubling([-1, 2]), on: gpus, shared: shared)
            for round in 1...3 {
                let outputs = try instance.run([input([Float(round), 1], .cpu, gpus)])
                #expect(try outputs["doubled"]?.elements(as: Float.self) == [2 * Float(round), 2])
            }
        }
        #expect(usage.isNothing)
    }

    @Test func `Outputs that are wanted on the GPU stay there, and are not written again`() async throws {
        let (_, usage) = try await FakeDriver.run {
            let gpus = FakeDriver.gpus()
            let instance = try instance(.doubling([-1, 2]), on: gpus)
            var held: [Tensor] = []
            for round in 0..<5 {
                var batch = ExecutionBatch(
                    inputs: [try input([Float(round), 1], .gpu(0), gpus)], batchSize: 1, requestedOutputs: nil,
                    clock: SystemClock(), outputPlacement: .gpu(0))
                held += try instance.execute(&batch)
            }
            for (round, output) in held.enumerated() {
                #expect(output.data.placement == .gpu(0))
                var onHost = output
                onHost.data = try output.data.onHost()
                #expect(try onHost.elements(as: Float.self) == [2 * Float(round), 2])
            }
            // The engine's own memory, not the pool's.
            #expect(try gpus.gpu(0).pool.usage.used == 0)
        }
        #expect(usage.isNothing)
    }

    @Test func `An output that is the input's memory is copied`() async throws {
        try await FakeDriver.run {
            let gpus = FakeDriver.gpus()
            let instance = try instance(.identity(.fp32, [-1, 2]), on: gpus)
            let input = try input([1, 2], .gpu(0), gpus)
            var batch = ExecutionBatch(
                inputs: [input], batchSize: 1, requestedOutputs: nil, clock: SystemClock(), outputPlacement: .gpu(0))
            let output = try #require(try instance.execute(&batch).first)
            #expect(output.data.baseAddress != input.data.baseAddress)
            #expect(try output.data.onHost().withUnsafeBytes { $0.load(as: Float.self) } == 1)
        }
    }

    @Test func `Texts pass through the processor's memory`() async throws {
        try await FakeDriver.run {
            let instance = try instance(.identity(.bytes, [-1]), on: FakeDriver.gpus())
            let bytes: [UInt8] = [2, 0, 0, 0, 0x68, 0x69, 0, 0, 0, 0]
            let input = try Tensor(
                name: "x", elementType: .bytes, shape: [2], data: bytes.withUnsafeBytes { TensorBuffer(copying: $0) })
            let output = try #require(try instance.run([input])["y"])
            #expect(output.data.withUnsafeBytes { Array($0) } == bytes)
        }
    }

    @Test func `Only what was asked for is computed, and empty tensors pass`() async throws {
        try await FakeDriver.run {
            let gpus = FakeDriver.gpus()
            let two = try instance(.twoOutputs, on: gpus)
            #expect(try two.run([input([1, 10], .cpu, gpus)], wanting: ["tripled"]).keys.sorted() == ["tripled"])
            let positions = try instance(.nonZero, on: gpus)
            let output = try #require(
                try positions.run([Tensor(name: "x", shape: [0], [Float]())])["positions"])
            #expect(output.shape == [1, 0] && output.data.byteCount == 0)
        }
    }

    @Test func `The stages' times are the GPU's own`() async throws {
        try await FakeDriver.run(FakeDriver.script { $0.event_step = 0.25 }) {
            let gpus = FakeDriver.gpus()
            let instance = try instance(.doubling([-1, 2]), on: gpus)
            var batch = ExecutionBatch(
                inputs: [try input([1, 2], .cpu, gpus)], batchSize: 1, requestedOutputs: nil, clock: SystemClock())
            _ = try instance.execute(&batch)
            #expect(batch.deviceTimes == DeviceTimes(input: 250_000, infer: 250_000, output: 250_000))
        }
    }

    @Test func `Without memory on the GPU the batch fails, the pool shrinks, and the next batch runs`() async throws {
        let megabyte = 1 << 20
        let (_, usage) = try await FakeDriver.run(FakeDriver.script { $0.memory_byte_count = 2 * megabyte }) {
            let gpus = FakeDriver.gpus { $0.defaultPoolByteSize = megabyte }
            let instance = try instance(.doubling([-1, 2]), on: gpus)
            let large = try input([Float](repeating: 1, count: megabyte), .cpu, gpus)
            let failed = try #require(error { try instance.run([large]) })
            #expect(failed.code == .unavailable)
            #expect(
                failed.message
                    == "model 'm': GPU 0 (Fake GPU 0) is out of memory: \(4 * megabyte) bytes were asked for, and "
                    + "\(2 * megabyte) of \(2 * megabyte) are free")
            #expect(try gpus.gpu(0).pool.usage.reserved == 0)
            #expect(try instance.run([input([1, 2], .cpu, gpus)])["doubled"]?.elements(as: Float.self) == [2, 4])
        }
        #expect(usage.isNothing)
    }

    @Test func `A copy that fails is an error of the batch alone`() async throws {
        let (_, usage) = try await FakeDriver.run {
            let gpus = FakeDriver.gpus()
            let instance = try instance(.doubling([-1, 2]), on: gpus)
            let tensor = try input([1, 2], .cpu, gpus)
            fake_cuda_change(FakeDriver.script { $0.copy_result = 700 })
            #expect(
                error { try instance.run([tensor]) }?.message
                    == "model 'm': copying 8 bytes with GPU 0 failed: failed (CUDA_ERROR)")
            fake_cuda_change(FakeDriver.script())
            #expect(try instance.run([tensor]).count == 1)
        }
        #expect(usage.isNothing)
    }

    @Test func `The wrong type and the wrong size are refused by name`() async throws {
        try await FakeDriver.run {
            let instance = try instance(.doubling([-1, 2]), on: FakeDriver.gpus())
            let type = error { try instance.run([Tensor(name: "x", shape: [1, 2], [Int32(1), 2])]) }
            #expect(type?.message == "model 'm': input 'x' must be FP32, but is INT32")
            let shape = error { try instance.run([Tensor(name: "x", shape: [1, 3], [Float(1), 2, 3])]) }
            #expect(shape?.message.hasPrefix("model 'm': the inference failed: ") == true)
        }
    }
}
