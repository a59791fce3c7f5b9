import Glibc
import HalcyonTestKit
import Logging
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing
import Threads

@Suite("Warm-up")
struct WarmUpTests {
    /// - Parameter gpus: of each instance, in their order; none for instances on the processor.
    private func executedSizes(
        _ batching: DynamicBatching?, instances: Int, secondsABatch: UInt64 = 0, gpus: [Int] = []
    ) throws -> [Int] {
        let clock = ManualClock()
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(
            ExecutorFixture.configuration(maxBatchSize: 4, batching: batching), instances: instances, clock: clock
        ) {
            clock.advance(by: secondsABatch * 1_000_000_000)
            return try echo(&$0, $1)
        } adjust: { parts in
            for (index, gpu) in gpus.enumerated() {
                parts.instances[index].kind = .gpu
                parts.instances[index].gpu = gpu
            }
        }
        try fixture.executor.warmUp()
        fixture.stop()
        let statistics = fixture.executor.statistics.snapshot()
        #expect(statistics.executionCount == 0 && statistics.success.count == 0, "a warm-up is counted nowhere")
        return fixture.backend.executedBatchSizes
    }

    @Test("Every instance runs once, the first twice, and one of them at the sizes that batches will have")
    func sizes() throws {
        #expect(try executedSizes(nil, instances: 2) == [1, 1, 1])
        #expect(try executedSizes(DynamicBatching(preferredBatchSizes: [4]), instances: 2) == [1, 1, 1, 4, 2, 3])
    }

    @Test("The first execution's time is told apart from the next")
    func times() throws {
        let clock = ManualClock()
        let durations = Locked<[UInt64]>([5, 40])
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(ExecutorFixture.configuration(), clock: clock) {
            clock.advance(by: durations.withLock { $0.popLast() } ?? 0)
            return try echo(&$0, $1)
        }
        let times = try fixture.executor.warmUp().times
        fixture.stop()
        #expect(times?.first == 40)
        #expect(times?.steady == 5)
    }

    @Test("Sizes that nobody prefers are tried only while that is quick")
    func patience() throws {
        let batching = DynamicBatching(preferredBatchSizes: [4])
        #expect(try executedSizes(batching, instances: 1, secondsABatch: 3) == [1, 1, 4, 2])
    }

    @Test("Each GPU meets all sizes, and more patience, as its engine tries out ways for each size")
    func sizesOnGPUs() throws {
        let batching = DynamicBatching(preferredBatchSizes: [4])
        #expect(
            try executedSizes(batching, instances: 3, secondsABatch: 3, gpus: [0, 0, 1])
                == [1, 1, 1, 1, 4, 2, 3, 4, 2, 3])
        #expect(try executedSizes(batching, instances: 1, secondsABatch: 20, gpus: [0]) == [1, 1, 4, 2])
    }

    private static func report(
        _ configuration: ModelConfiguration, fails: Bool = false
    ) throws -> (WarmUpReport, sizes: [Int]) {
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(configuration) {
            if fails { throw HalcyonError(.internal, "engine says no") }
            return try echo(&$0, $1)
        }
        defer { fixture.stop() }
        let report = try fixture.executor.warmUp()
        return (report, fixture.backend.executedBatchSizes)
    }

    @Test("Zeros are not for every model: what may be a parameter is left cold, and so are open dimensions")
    func obstacles() throws {
        let (open, sizes) = try Self.report(ExecutorFixture.configuration(dimensions: [-1]))
        #expect(sizes.isEmpty && open.times == nil && open.reason == "input 'IN' has open dimensions")
        for type in ElementType.allCases {
            var configuration = ExecutorFixture.configuration()
            configuration.inputs[0].elementType = type
            configuration.outputs[0].elementType = type
            let isTried = [.fp16, .bf16, .fp32, .fp64, .uint8].contains(type)
            let (report, sizes) = try Self.report(configuration)
            #expect(sizes == (isTried ? [1, 1] : []), "\(type)")
            if !isTried { #expect(report.reason == "input 'IN' may be a parameter for which 0 is no value") }
        }
        for (maxBatchSize, dimensions, isTried) in [
            (0, [4], false), (0, [2, 2], true), (0, [], false), (8, [], false), (8, [4], true),
        ] as [(Int, TensorShape, Bool)] {
            let configuration = ExecutorFixture.configuration(maxBatchSize: maxBatchSize, dimensions: dimensions)
            #expect(try Self.report(configuration).sizes.isEmpty != isTried, "\(maxBatchSize) \(dimensions)")
        }
    }

    @Test("A model that fails on our zeros is served all the same")
    func failing() throws {
        let (report, sizes) = try Self.report(ExecutorFixture.configuration(), fails: true)
        #expect(sizes == [1] && report.times == nil && report.reason == "it fails on inputs of zeros")
    }

    @Test("Samples run although the rest is switched off, and one that fails is an error")
    func samplesOnly() throws {
        let input = try Tensor(name: "IN", shape: [1, 4], [1, 2, 3, 4] as [Float])
        let sample = WarmUpItem(name: "some", batchSize: 2, count: 3, inputs: [input])
        let fixture = try ExecutorFixture(ExecutorFixture.configuration(), instances: 2)
        let report = try fixture.executor.warmUp(WarmUpPlan(samples: [sample], isAutomatic: false))
        fixture.stop()
        #expect(report.reason == "switched off" && fixture.backend.executedBatchSizes == [2, 2, 2, 2, 2, 2])
        let failing = try ExecutorFixture(ExecutorFixture.configuration()) { _, _ in
            throw HalcyonError(.internal, "engine says no")
        }
        #expect(throws: HalcyonError(.internal, "warmup sample 'some': engine says no")) {
            try failing.executor.warmUp(WarmUpPlan(samples: [sample]))
        }
        failing.stop()
    }

    @Test("Samples take a minute at most, and end when nobody wants the model any more")
    func endlessSamples() throws {
        let clock = ManualClock()
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(ExecutorFixture.configuration(), clock: clock) {
            clock.advance(by: 10_000_000_000)
            return try echo(&$0, $1)
        }
        let input = try Tensor(name: "IN", shape: [1, 4], [1, 2, 3, 4] as [Float])
        let sample = WarmUpItem(name: "some", batchSize: 1, count: 10_000, inputs: [input])
        try fixture.executor.warmUp(WarmUpPlan(samples: [sample], isAutomatic: false))
        #expect(fixture.backend.executedBatchSizes.count == 6)
        let left = Locked(3)
        let error = #expect(throws: HalcyonError.self) {
            try fixture.executor.warmUp(
                WarmUpPlan(samples: [sample]) {
                    left.withLock { left in
                        left -= 1
                        return left < 0
                    }
                })
        }
        #expect(error?.code == .unavailable)
        #expect(error?.message.contains("the load was given up") == true)
        #expect(fixture.backend.executedBatchSizes.count == 9)
        fixture.stop()
    }

    @Test("A model that takes batches of one size only runs at that")
    func fixedSize() throws {
        let configuration = ExecutorFixture.configuration(batching: DynamicBatching(preferredBatchSizes: [4]))
        let backend = ScriptedBackend(fixedBatchSize: 8, script: ScriptedBackend.echo())
        let model = try backend.openModel(
            ModelSource(
                modelName: "test", version: 1, configuration: configuration, modelDirectory: "", modelPath: nil,
                log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
        let fixture = try ExecutorFixture(configuration, adjust: { $0.model = model })
        #expect(try fixture.executor.warmUp().times != nil)
        fixture.stop()
        #expect(backend.executedBatchSizes == [8, 8])
    }

    @Test("An output whose first dimension is not the batch is noticed")
    func withoutBatch() throws {
        let fixture = try ExecutorFixture(ExecutorFixture.configuration()) { _, _ in
            [try Tensor(name: "OUT", shape: [0, 4], [] as [Float])]
        }
        #expect(try fixture.executor.warmUp().outputWithoutBatch == "OUT")
        fixture.stop()
    }

    @Test("A full batch that nobody asked for is tried while that is quick, and up to a size")
    func defaultSizes() throws {
        var batching = DynamicBatching(preferredBatchSizes: [4])
        batching.hasDefaultSizes = true
        #expect(try executedSizes(batching, instances: 1) == [1, 1, 4, 2, 3])
        #expect(try executedSizes(batching, instances: 1, secondsABatch: 3) == [1, 1, 4])
        var configuration = ExecutorFixture.configuration(maxBatchSize: 1_000_000, batching: batching)
        configuration.dynamicBatching?.preferredBatchSizes = [1_000_000]
        let fixture = try ExecutorFixture(configuration)
        try fixture.executor.warmUp()
        fixture.stop()
        #expect(fixture.backend.executedBatchSizes == [1, 1] + (2...16))
    }

    @Test("What would take more memory than a warm-up may have is left out, or is an error where it was asked for")
    func tooLarge() throws {
        let batching = DynamicBatching(preferredBatchSizes: [2, 2_147_483_647])
        let many = try ExecutorFixture(
            ExecutorFixture.configuration(maxBatchSize: 2_147_483_647, batching: batching))
        #expect(try many.executor.warmUp().times != nil)
        let input = try Tensor(name: "IN", shape: [1, 4], [1, 2, 3, 4] as [Float])
        let sample = WarmUpItem(name: "many", batchSize: 100_000_000, count: 1, inputs: [input])
        let error = #expect(throws: HalcyonError.self) { try many.executor.warmUp(WarmUpPlan(samples: [sample])) }
        #expect(
            error?.message
                == "warmup sample 'many': a batch of 100000000 items of 16 bytes is larger than the 1073741824 bytes "
                + "that a warm-up may have")
        many.stop()
        #expect(many.backend.executedBatchSizes == [1, 1, 2] + (3...16))
        for dimensions in [[1_000_000_000_000], [Int.max, 4]] as [TensorShape] {
            let wide = try ExecutorFixture(ExecutorFixture.configuration(dimensions: dimensions))
            #expect(try wide.executor.warmUp().times == nil)
            wide.stop()
            #expect(wide.backend.executedBatchSizes.isEmpty)
        }
    }

    @Test("The memory of the batches is freed after it")
    func memory() throws {
        final class Seen: @unchecked Sendable { weak var storage: TensorStorage? }
        let seen = Seen()
        let fixture = try ExecutorFixture(
            ExecutorFixture.configuration(maxBatchSize: 4, batching: DynamicBatching(preferredBatchSizes: [4]))
        ) { batch, identity in
            if batch.batchSize == 4 { seen.storage = batch.inputs[0].data.storage }
            return try ScriptedBackend.echo()(&batch, identity)
        }
        try fixture.executor.warmUp()
        #expect(seen.storage == nil)
        fixture.stop()
    }

    @Test("It waits for the resources that instances share")
    func resources() throws {
        let gate = ResourceGate(stock: [])
        let exclusive = Exclusive()
        var configuration = ExecutorFixture.configuration()
        var group = InstanceGroup(name: "test", kind: .cpu, count: 1)
        group.rateLimiter = ModelRateLimiter(resources: [.init(name: "camera", isGlobal: true, count: 1)], priority: 1)
        configuration.instanceGroups = [group]
        let fixtures = try (0..<2).map { _ in
            try ExecutorFixture(
                configuration,
                script: { batch, identity in
                    try exclusive.run {
                        for _ in 0..<100 { sched_yield() }
                        return try ScriptedBackend.echo()(&batch, identity)
                    }
                }, adjust: { $0.environment.resources = gate })
        }
        let threads = try fixtures.map { fixture in
            try WorkerThread(name: "warm-up") { for _ in 0..<20 { _ = try? fixture.executor.warmUp() } }
        }
        for thread in threads { thread.join() }
        #expect(!exclusive.wasShared)
        for fixture in fixtures { #expect(fixture.backend.executedBatchSizes.count == 40) }
        let outcomes = Collected<Result<InferenceResponse, HalcyonError>>()
        fixtures[0].executor.submit(try ExecutorFixture.request(1), from: .blocking) { outcomes.add($0) }
        #expect(throws: Never.self) { try outcomes.wait(for: 1)[0].get() }
        for fixture in fixtures { fixture.stop() }
    }
}
