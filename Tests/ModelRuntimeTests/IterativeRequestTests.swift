import HalcyonTestKit
import Logging
import ModelConfigurations
import Tensors
import Testing
import Threads

@testable import ModelRuntime

@Suite("Requests that an instance puts back")
struct IterativeRequestTests {
    private typealias Outcome = Result<InferenceResponse, HalcyonError>

    /// A decoupled model whose requests name no sequences.
    private struct Setup {
        let executor: SequenceExecutor
        let timer: DeadlineTimer

        init(
            isDirect: Bool = false, maxBatchSize: Int = 1, clock: any SchedulingClock = SystemClock(),
            script: @escaping TakingModel.Script
        ) throws {
            var configuration = ExecutorFixture.configuration(maxBatchSize: maxBatchSize)
            configuration.isDecoupled = true
            var sequences = SequenceBatching(
                strategy: isDirect
                    ? .direct(maxQueueDelay: .zero, minimumSlotUtilization: 0)
                    : .oldest(
                        maxCandidateSequences: 4, preferredBatchSizes: [], maxQueueDelay: .zero,
                        preserveOrdering: false))
            sequences.isIterative = true
            configuration.sequenceBatching = sequences
            timer = DeadlineTimer(clock: clock)
            let parts = ModelExecutor.Parts(
                model: TakingModel(script), version: 1, configuration: configuration,
                instances: [InstanceIdentity(name: "test_0", kind: .cpu, index: 0)],
                environment: ExecutionEnvironment(
                    clock: clock, timer: timer,
                    log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })))
            executor = try SequenceExecutor(parts, sequences, initialStates: [:])
        }

        @discardableResult
        func submit(_ value: Float, handler: @escaping ResponseHandler) throws -> (any SubmittedRequest)? {
            executor.submit(try ExecutorFixture.request(value), from: .nonBlocking, handler: handler)
        }

        func stop() {
            executor.stop(deadline: nil)
            timer.stop()
        }
    }

    private static func output(_ request: HandedRequest) throws -> Tensor {
        var output = try #require(request.inputs.first)
        output.name = "OUT"
        return output
    }

    private static func message(_ outcome: Outcome?) -> String {
        if case .failure(let error)? = outcome { error.message } else { "" }
    }

    enum Ending: CaseIterable, Sendable {
        case cancelled
        case cancelledByItsHandler
        case lost
    }

    @Test("One that waits ends once, whoever ends it, and what comes later goes nowhere", arguments: Ending.allCases)
    func waiting(_ ending: Ending) async throws {
        let older = Locked<[HandedRequest]>([])
        let (first, second) = (Gate(), Gate())
        let setup = try Setup { requests, _ in
            for request in requests {
                if request.id == "1.0" {
                    first.pass()
                    older.withLock { $0 = [request] }
                    request.putBack()
                } else {
                    second.pass()
                    try request.respond([try Self.output(request)], isFinal: true)
                }
            }
        }
        let (outcomes, others) = (Collected<Outcome>(), Collected<Outcome>())
        let toCancel = Locked<(any SubmittedRequest)?>(nil)
        let submitted = try setup.submit(1) { outcome in
            outcomes.add(outcome)
            toCancel.withLock({ $0 })?.cancel()
        }
        await first.waitForArrivals(1)
        try setup.submit(2) { others.add($0) }
        first.open()
        // The first one waits behind the second.
        await second.waitForArrivals(1)
        do {
            let request = try #require(older.withLock({ $0.first }))
            switch ending {
            case .cancelled: submitted?.cancel()
            case .cancelledByItsHandler: toCancel.withLock { $0 = submitted }
            case .lost:
                request.abandon(HalcyonError(.unavailable, "the instance is gone"))
                submitted?.cancel()
            }
            try request.respond([try Self.output(request)])
        }
        older.withLock { $0 = [] }
        second.open()
        _ = await others.wait(for: 1)
        setup.stop()
        #expect(outcomes.values.count == (ending == .cancelledByItsHandler ? 2 : 1))
        #expect(Self.message(outcomes.values.last).contains(ending == .lost ? "is gone" : "while it waited"))
        let statistics = setup.executor.statistics.snapshot()
        #expect(statistics.success.count == 1 && statistics.fail.count == 1)
    }

    @Test("One that has ended does not come again", arguments: [true, false])
    func ended(isAnswered: Bool) async throws {
        let executions = Locked(0)
        let setup = try Setup { requests, _ in
            let count = executions.withLock { executions in
                executions += 1
                return executions
            }
            // Should it come again, then not for ever.
            guard count < 4 else { return }
            for request in requests {
                if isAnswered { try request.respond([try Self.output(request)], isFinal: true) }
                request.putBack()
            }
            if !isAnswered { throw HalcyonError(.internal, "the model fails") }
        }
        let outcomes = Collected<Outcome>()
        try setup.submit(1) { outcomes.add($0) }
        _ = await outcomes.wait(for: 1)
        setup.stop()
        #expect(outcomes.values.map { Self.message($0) } == [isAnswered ? "" : "the model fails"])
        #expect(executions.withLock({ $0 }) == 1)
        let statistics = setup.executor.statistics.snapshot()
        #expect(statistics.success.count == (isAnswered ? 1 : 0) && statistics.fail.count == (isAnswered ? 0 : 1))
    }

    @Test("A row that is nobody's is put back and forgotten")
    func blankRows() async throws {
        let gate = Gate()
        let blanks = Locked(0)
        let setup = try Setup(isDirect: true, maxBatchSize: 2) { requests, _ in
            for request in requests {
                if request.id == "1.0" { gate.pass() }
                if request.id.isEmpty {
                    try request.checkPutBack()
                    request.putBack()
                    blanks.withLock { $0 += 1 }
                } else {
                    try request.respond([try Self.output(request)], isFinal: true)
                }
            }
        }
        let outcomes = Collected<Outcome>()
        try setup.submit(1) { outcomes.add($0) }
        await gate.waitForArrivals(1)
        try setup.submit(2) { outcomes.add($0) }
        gate.open()
        let came = await outcomes.wait(for: 2)
        setup.stop()
        #expect(came.map { Self.message($0) } == ["", ""])
        #expect(blanks.withLock({ $0 }) == 1)
    }

    @Test("What a step waits is counted from when its request came back", arguments: [true, false])
    func queueTime(isReported: Bool) async throws {
        let clock = ManualClock()
        let steps = Locked(0)
        let setup = try Setup(clock: clock) { requests, _ in
            let step = steps.withLock { steps in
                steps += 1
                return steps
            }
            for request in requests {
                let start = clock.now()
                clock.advance(by: 100)
                if step == 3 { try request.respond([try Self.output(request)], isFinal: true) }
                if isReported {
                    let end = clock.now()
                    request.report(
                        isSuccess: true,
                        StatisticsCollector.Stages(start: start, inferenceStart: start, inferenceEnd: end, end: end))
                }
                if step < 3 { request.putBack() }
            }
        }
        let outcomes = Collected<Outcome>()
        try setup.submit(1) { outcomes.add($0) }
        _ = await outcomes.wait(for: 1)
        setup.stop()
        let statistics = setup.executor.statistics.snapshot()
        #expect(statistics.queue.count == (isReported ? 3 : 1) && statistics.queue.nanoseconds == 0)
    }
}
