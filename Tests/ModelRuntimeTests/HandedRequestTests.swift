import HalcyonTestKit
import Logging
import ModelConfigurations
import Tensors
import Testing
import Threads

@testable import ModelRuntime

/// A model whose instances are handed requests as they came, and do what a test says.
final class TakingModel: BackendModel {
    typealias Script = @Sendable ([HandedRequest], BatchStatisticsSink) throws -> Void

    private let script: Script

    init(_ script: @escaping Script) { self.script = script }
    func makeInstance(_ identity: InstanceIdentity) -> any ModelInstance { Instance(script) }

    private final class Instance: RequestTakingInstance {
        private let script: Script
        init(_ script: @escaping Script) { self.script = script }

        func execute(_ requests: [HandedRequest], _ statistics: BatchStatisticsSink) throws {
            try script(requests, statistics)
        }

        func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] { [] }
    }
}

@Suite("Requests handed over as they came")
struct HandedRequestTests {
    private typealias Outcome = Result<InferenceResponse, HalcyonError>

    private func parts(
        _ configuration: ModelConfiguration, _ timer: DeadlineTimer, _ script: @escaping TakingModel.Script
    ) -> ModelExecutor.Parts {
        ModelExecutor.Parts(
            model: TakingModel(script), version: 1, configuration: configuration,
            instances: [InstanceIdentity(name: "test_0", kind: .cpu, index: 0)],
            environment: ExecutionEnvironment(
                clock: SystemClock(), timer: timer,
                log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
    }

    private static func output(_ request: HandedRequest) throws -> Tensor {
        var output = try #require(request.inputs.first)
        output.name = "OUT"
        return output
    }

    private static func first(_ outcome: Outcome?) -> Float? {
        (try? outcome?.get().output("OUT").elements(as: Float.self))?.first
    }

    private static func message(_ outcome: Outcome?) -> String {
        if case .failure(let error)? = outcome { error.message } else { "" }
    }

    @Test("an answer comes from any thread, also after the execution; what is forgotten ends with an error")
    func answers() async throws {
        let timer = DeadlineTimer(clock: SystemClock())
        let executor = try ModelExecutor(
            parts(ExecutorFixture.configuration(), timer) { requests, _ in
                for request in requests {
                    switch request.id {
                    case "1.0": try request.respond([try Self.output(request)])
                    case "2.0":
                        try WorkerThread.detach(name: "later") {
                            if let output = try? Self.output(request) { try? request.respond([output]) }
                        }
                    case "3.0": request.fail(HalcyonError(.unavailable, "not now"))
                    case "4.0": break
                    default: throw HalcyonError(.unsupported, "nothing was taken")
                    }
                }
            })
        for (value, words) in [(Float(1), ""), (2, ""), (3, "not now"), (4, "without an answer"), (5, "nothing was")] {
            let outcomes = Collected<Outcome>()
            executor.submit(try ExecutorFixture.request(value), from: .nonBlocking) { outcomes.add($0) }
            let outcome = await outcomes.wait(for: 1).first
            if words.isEmpty {
                #expect(Self.first(outcome) == value)
            } else {
                #expect(Self.message(outcome).contains(words), "\(value)")
            }
        }
        executor.stop()
        timer.stop()
        let statistics = executor.statistics.snapshot()
        #expect(statistics.success.count == 2 && statistics.fail.count == 3)
    }

    @Test("there is one response, and what comes after it goes nowhere; what the instance reports is what is counted")
    func once() async throws {
        let timer = DeadlineTimer(clock: SystemClock())
        let executor = try ModelExecutor(
            parts(ExecutorFixture.configuration(), timer) { requests, statistics in
                let stages = StatisticsCollector.Stages(start: 1, inferenceStart: 2, inferenceEnd: 3, end: 4)
                for request in requests {
                    try request.respond([try Self.output(request)], parameters: [InferenceParameter("a", .integer(1))])
                    try request.respond([try Self.output(request)])
                    request.finish()
                    request.report(isSuccess: true, stages)
                    request.report(isSuccess: false, stages)
                }
                statistics.executed(batchSize: 2, stages)
            })
        let outcomes = Collected<Outcome>()
        executor.submit(try ExecutorFixture.request(7, items: 2), from: .nonBlocking) { outcomes.add($0) }
        let outcome = await outcomes.wait(for: 1).first
        #expect(Self.first(outcome) == 7)
        #expect(try outcome?.get().parameters == [InferenceParameter("a", .integer(1))])
        executor.stop()
        timer.stop()
        #expect(outcomes.values.count == 1)
        let statistics = executor.statistics.snapshot()
        #expect(statistics.inferenceCount == 2 && statistics.executionCount == 1)
        #expect(statistics.success.count == 1 && statistics.fail.count == 0)
    }

    @Test("a decoupled model's responses come one by one, and then its end")
    func decoupled() async throws {
        var configuration = ExecutorFixture.configuration(maxBatchSize: 0)
        configuration.isDecoupled = true
        let timer = DeadlineTimer(clock: SystemClock())
        let executor = try ModelExecutor(
            parts(configuration, timer) { requests, _ in
                for request in requests {
                    for _ in 0..<3 { try request.respond([try Self.output(request)]) }
                    request.finish()
                    try request.respond([try Self.output(request)])
                }
            })
        let outcomes = Collected<Outcome>()
        let input = try Tensor(name: "IN", shape: [4], [Float](repeating: 5, count: 4))
        executor.submit(InferenceRequest(modelName: "test", inputs: [input]), from: .nonBlocking) { outcomes.add($0) }
        let came = await outcomes.wait(for: 4)
        #expect(came.dropLast().allSatisfy { Self.first($0) == 5 })
        #expect(try came.last?.get().isFinal == true)
        executor.stop()
        timer.stop()
        #expect(outcomes.values.count == 4)
    }

    @Test("each request of a sequence brings what the one before it left, and comes after it has ended")
    func states() async throws {
        var configuration = ExecutorFixture.configuration(maxBatchSize: 4)
        var sequences = SequenceBatching(
            strategy: .oldest(
                maxCandidateSequences: 4, preferredBatchSizes: [], maxQueueDelay: .zero, preserveOrdering: false))
        sequences.states = [
            SequenceBatching.State(inputName: "SUM_IN", outputName: "SUM_OUT", elementType: .fp32, dimensions: [1])
        ]
        configuration.sequenceBatching = sequences
        let timer = DeadlineTimer(clock: SystemClock())
        let executor = try SequenceExecutor(
            parts(configuration, timer) { requests, _ in
                for request in requests {
                    // Later, and from another thread.
                    try WorkerThread.detach(name: "later") {
                        do {
                            let value = try request.inputs[0].elements(as: Float.self)[0]
                            let before = try request.inputs.first { $0.name == "SUM_IN" }?.elements(as: Float.self)[0]
                            let sum = value + (before ?? -1)
                            request.keep(try Tensor(name: "SUM_OUT", shape: [1, 1], [sum]))
                            try request.respond([
                                try Tensor(name: "OUT", shape: [1, 4], [Float](repeating: sum, count: 4))
                            ])
                        } catch {
                            request.fail(HalcyonError(wrapping: error))
                        }
                    }
                }
            }, sequences, initialStates: [:])
        var sums: [UInt64: [Float?]] = [:]
        let outcomes: [UInt64: Collected<Outcome>] = [1: Collected(), 2: Collected()]
        for index in 0..<4 {
            for sequence in [UInt64(1), 2] {
                var request = try ExecutorFixture.request(Float(sequence))
                request.sequence = InferenceSequence(id: .number(sequence), isStart: index == 0, isEnd: index == 3)
                executor.submit(request, from: .nonBlocking) { outcomes[sequence]?.add($0) }
            }
        }
        for (sequence, collected) in outcomes { sums[sequence] = await collected.wait(for: 4).map(Self.first) }
        executor.stop(deadline: nil)
        timer.stop()
        #expect(sums == [1: [1, 2, 3, 4], 2: [2, 4, 6, 8]])
    }
}
