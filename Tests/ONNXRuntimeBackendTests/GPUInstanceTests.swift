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
@testable import ModelFiles
@testable import ONNXRuntimeBackend

/// Instances on a GPU whose memory is the processor's: the copies, the binding and the times are the real ones, and the
/// engine computes on the processor.
@Suite(.enabled(if: Engine.isAvailable, Comment(rawValue: Engine.absent)))
struct GPUInstanceTests {
    private let runtime: Runtime

    init() throws { runtime = try Runtime(library: Library.open(directories: [Engine.directory], systemNames: [])) }

    private func instance(
        _ model: ONNXModel, on gpus: GPUs, shared: Bool = true, limit: Int = 1
    ) throws -> ONNXRuntimeGPUInstance {
        let gpu = try gpus.gpu(0)
        let stream = try CUDAStream(gpu.context)
        let sessions = try sessions(model, limit: limit, stream: shared ? nil : stream)
        return try ONNXRuntimeGPUInstance(
            sessions,
            on: .init(gpu: gpu, stream: stream, memory: gpus, information: runtime.memory(ofGPU: nil)), modelName: "m")
    }

    private func sessions(_ model: ONNXModel, limit: Int, stream: CUDAStream? = nil) throws -> ShapedSessions {
        let path = try model.write()
        let parameters = try ModelParameters(backend: [:], model: [:], modelName: "m")
        let settings = SessionSettings(
            graphOptimization: .all, intraOpThreads: 1, interOpThreads: 1, parameters: parameters)
        return try ShapedSessions(limit: limit) { [runtime] () throws(HalcyonError) in
            try Session(runtime: runtime, path: path, settings: settings, stream: stream)
        }
    }

    @Test
    func `Each shape has a session of its own, up to a limit; then the one that rested longest changes its shape`()
        throws
    {
        let sessions = try sessions(.doubling([-1, 2]), limit: 2)
        let one = try sessions.session(for: [[1, 2]])
        #expect(one === sessions.first && sessions.count == 1)
        let eight = try sessions.session(for: [[8, 2]])
        #expect(eight !== one && sessions.count == 2)
        #expect(try sessions.session(for: [[1, 2]]) === one)
        #expect(try sessions.session(for: [[3, 2]]) === eight, "it rested longest")
        #expect(try sessions.session(for: [[1, 2]]) === one)
        #expect(try sessions.session(for: [[8, 2]]) === eight)
        #expect(sessions.count == 2)
        let single = try self.sessions(.doubling([-1, 2]), limit: 1)
        #expect(try single.session(for: [[1, 2]]) === single.session(for: [[8, 2]]))
    }

    /// Counts attempts.
    private final class Counter: Sendable {
        private let state = Locked(0)
        var count: Int { state.withLock { $0 } }

        func next() -> Int {
            state.withLock { count in
                count += 1
                return count
            }
        }
    }

    @Test func `Where the GPU has no memory for another session, one that is there changes its shape`() throws {
        let first = try sessions(.doubling([-1, 2]), limit: 1).first
        let attempts = Counter()
        let sessions = try ShapedSessions(limit: 8) { () throws(HalcyonError) in
            guard attempts.next() == 1 else { throw HalcyonError(.unavailable, "no memory") }
            return first
        }
        #expect(try sessions.session(for: [[1, 2]]) === first)
        for items in 2...4 { #expect(try sessions.session(for: [[items, 2]]) === first) }
        #expect(attempts.count == 2 && sessions.count == 1, "nobody tries again")
    }

    @Test func `What else keeps a session from being made is an error, and the next shape tries again`() throws {
        let first = try sessions(.doubling([-1, 2]), limit: 1).first
        let attempts = Counter()
        let sessions = try ShapedSessions(limit: 8) { () throws(HalcyonError) in
            guard attempts.next() != 2 else { throw HalcyonError(.internal, "broken") }
            return first
        }
        _ = try sessions.session(for: [[1, 2]])
        #expect(throws: HalcyonError(.internal, "broken")) { try sessions.session(for: [[2, 2]]) }
        _ = try sessions.session(for: [[3, 2]])
        #expect(attempts.count == 3 && sessions.count == 2)
    }

    @Test func `While one is made, others take a session that is there`() throws {
        let first = try sessions(.doubling([-1, 2]), limit: 1).first
        let other = try sessions(.doubling([-1, 2]), limit: 1).first
        let made = Locked<ShapedSessions?>(nil)
        let meanwhile = Locked<[Session]>([])
        let isFirst = Locked(true)
        let sessions = try ShapedSessions(limit: 8) { () throws(HalcyonError) in
            if isFirst.withLock({ first in
                defer { first = false }; return first
            }) {
                return first
            }
            let sessions = made.withLock { $0 }
            for items in [1, 7] {
                if let taken = try sessions?.session(for: [[items, 2]]) { meanwhile.withLock { $0.append(taken) } }
            }
            return other
        }
        made.withLock { $0 = sessions }
        _ = try sessions.session(for: [[1, 2]])
        #expect(try sessions.session(for: [[2, 2]]) === other)
        #expect(meanwhile.withLock { $0.count { $0 === first } } == 2)
        made.withLock { $0 = nil }
    }

    @Test func `Batches of several sizes are right, each by its session`() async throws {
        let (_, usage) = try await FakeDriver.run {
            let gpus = FakeDriver.gpus()
            let instance = try instance(.doubling([-1, 2]), on: gpus, limit: 2)
            for items in [1, 3, 2, 1, 3] {
                let values = (0..<2 * items).map(Float.init)
                let outputs = try instance.run([input(values, .cpu, gpus)])
                #expect(try outputs["doubled"]?.elements(as: Float.self) == values.map { 2 * $0 })
            }
        }
        #expect(usage.isNothing)
    }

    @Test(arguments: [
        ("Conv", 1000, "1.31.1", 16), ("Conv", 1 << 30, "1.20.0", 2), ("Conv", 5 << 30, "1.20.0", 1),
        ("ConvTranspose", 0, "2.0.0", 16), ("MatMul", 1000, "1.31.1", 1), ("Conv", 1000, "1.19.2", 1),
        ("Conv", 1000, "unknown", 1),
    ])
    func `Only an engine that makes plans for convolutions anew has more than one session`(
        _ type: String, _ byteCount: Int, _ version: String, _ expected: Int
    ) {
        let model = ONNXSummary(operators: [type, "Relu"], byteCount: byteCount)
        func limit(_ kinds: [ExecutionProvider.Kind]) -> Int {
            ShapedSessions.limit(for: model, version: version, providers: kinds.map { ExecutionProvider(kind: $0) })
        }
        #expect(limit([.cuda]) == expected)
        #expect(limit([.tensorRT, .cuda]) == 1)
        let cuda = ExecutionProvider(kind: .cuda)
        var limited = cuda
        limited.options["gpu_mem_limit"] = "1000000000"
        #expect(ShapedSessions.limit(for: model, version: version, providers: [limited]) == 1)
        #expect(ShapedSessions.limit(for: model, version: version, providers: [cuda], isShared: false) == 1)
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
