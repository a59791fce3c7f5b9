import HalcyonTestKit
import Logging
import ModelConfigurations
import ModelRuntime
import Tensors
import Testing
import Threads

/// A decoupled model that does what a test says.
private final class DecoupledScript: BackendModel {
    typealias Script = @Sendable (DecoupledRequest) throws -> Void

    private let script: Script
    /// Counts the instances that are no more.
    let freed = Collected<Bool>()

    init(_ script: @escaping Script) { self.script = script }
    func makeInstance(_ identity: InstanceIdentity) -> any ModelInstance { Instance(script, freed: freed) }

    private final class Instance: DecoupledModelInstance {
        private let script: Script
        private let freed: Collected<Bool>

        init(_ script: @escaping Script, freed: Collected<Bool>) {
            self.script = script
            self.freed = freed
        }

        deinit { freed.add(true) }

        func execute(_ request: DecoupledRequest) throws { try script(request) }
    }
}

@Suite("Executor of a decoupled model")
struct DecoupledExecutorTests {
    private typealias Outcome = Result<InferenceResponse, HalcyonError>

    private static let second: UInt64 = 1_000_000_000

    private struct Fixture {
        let model: DecoupledScript
        let executor: ModelExecutor
        let timer: DeadlineTimer
        let outcomes = Collected<Outcome>()

        init(clock: any SchedulingClock, limit: UInt64 = 0, script: @escaping DecoupledScript.Script) throws {
            var configuration = ExecutorFixture.configuration(maxBatchSize: 0)
            configuration.isDecoupled = true
            timer = DeadlineTimer(clock: clock)
            model = DecoupledScript(script)
            var environment = ExecutionEnvironment(
                clock: clock, timer: timer, log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            environment.executionTimeout = limit
            executor = try ModelExecutor(
                ModelExecutor.Parts(
                    model: model, version: 1, configuration: configuration,
                    instances: [InstanceIdentity(name: "test_0", kind: .cpu, index: 0)], environment: environment))
        }

        @discardableResult
        func submit(flow: ResponseFlow? = nil) throws -> (any SubmittedRequest)? {
            var request = InferenceRequest(
                modelName: "test", id: "1", inputs: [try Tensor(name: "IN", shape: [4], [1, 2, 3, 4] as [Float])])
            request.flow = flow
            return executor.submit(request, from: .nonBlocking) { outcomes.add($0) }
        }

        func error(_ index: Int) -> HalcyonError? {
            if case .failure(let error) = outcomes.wait(for: index + 1)[index] { error } else { nil }
        }

        func stop() {
            executor.stop()
            timer.stop()
        }
    }

    @Sendable private static func respond(_ request: DecoupledRequest) throws {
        try request.send([try Tensor(name: "OUT", shape: [4], [1, 2, 3, 4] as [Float])])
    }

    // MARK: A slow caller

    /// Room for two of the small responses.
    private static func flow() -> ResponseFlow { ResponseFlow(limit: 1000) }

    @Test("A model waits for a caller that takes its time", .timeLimit(.minutes(1)))
    func waiting() throws {
        let clock = ManualClock()
        let fixture = try Fixture(clock: clock, limit: Self.second) { request in
            for _ in 0..<5 { try Self.respond(request) }
        }
        let flow = Self.flow()
        try fixture.submit(flow: flow)
        for count in 2...4 {
            clock.waitForSleeper(until: clock.now() + ResponseFlow.patience)
            #expect(fixture.outcomes.values.count == count)
            // The watchdog does not count the time that a model waits.
            clock.advance(by: 2 * Self.second)
            flow.took()
        }
        #expect(
            try fixture.outcomes.wait(for: 6).map { try $0.get().isFinal } == [false, false, false, false, false, true])
        fixture.stop()
    }

    @Test("A caller that takes little, again and again, is not waited for", .timeLimit(.minutes(1)))
    func dripping() throws {
        let clock = ManualClock()
        let fixture = try Fixture(clock: clock) { request in
            while true { try Self.respond(request) }
        }
        let flow = Self.flow()
        try fixture.submit(flow: flow)
        for _ in 0..<4 {
            clock.waitForSleeper(until: clock.now() + ResponseFlow.patience)
            clock.advance(by: 8 * Self.second)
            flow.took()
        }
        let outcome = try #require(fixture.outcomes.wait(for: 7).last)
        let error = #expect(throws: HalcyonError.self) { try outcome.get() }
        #expect(error?.message.contains("takes its responses at less than 32768 bytes a second") == true)
        fixture.stop()
    }

    @Test("No more responses are under way than were asked for", .timeLimit(.minutes(1)))
    func countLimit() throws {
        let clock = ManualClock()
        let fixture = try Fixture(clock: clock) { request in
            for _ in 0..<3 { try Self.respond(request) }
        }
        let flow = ResponseFlow(countLimit: 1)
        try fixture.submit(flow: flow)
        for count in 1...2 {
            clock.waitForSleeper(until: clock.now() + ResponseFlow.patience)
            #expect(fixture.outcomes.values.count == count)
            // So that the next sleep is told apart from this one.
            clock.advance(by: Self.second)
            flow.took()
        }
        #expect(fixture.outcomes.wait(for: 4).count == 4)
        fixture.stop()
    }

    @Test(
        "A caller that takes nothing loses its request, and one that has gone is not waited for",
        arguments: [true, false])
    func stalled(hasGone: Bool) throws {
        let clock = ManualClock()
        let cancelled = Collected<Bool>()
        let fixture = try Fixture(clock: clock) { request in
            defer { cancelled.add(request.isCancelled) }
            while true { try Self.respond(request) }
        }
        let handle = try fixture.submit(flow: Self.flow())
        clock.waitForSleeper(until: clock.now() + ResponseFlow.patience)
        if hasGone { handle?.cancel() } else { clock.advance(by: ResponseFlow.patience) }
        let error = fixture.error(2)
        #expect(error?.code == .cancelled)
        #expect(
            error?.message
                == (hasGone
                    ? "the caller has gone"
                    : "the caller has taken no response for 30000 ms, and 1000 bytes wait"))
        #expect(cancelled.wait(for: 1) == [true])
        fixture.stop()
        #expect(fixture.outcomes.values.count == 3)
    }

    // MARK: Instances that hang

    @Test("An instance that does not come back is replaced; what it still says of its request is heard by nobody")
    func replacement() throws {
        let gate = Gate()
        let clock = ManualClock()
        let isFirst = Locked(true)
        let late = Collected<HalcyonError>()
        let fixture = try Fixture(clock: clock, limit: Self.second) { request in
            try Self.respond(request)
            let hangs = isFirst.withLock { isFirst in
                defer { isFirst = false }
                return isFirst
            }
            guard hangs else { return }
            gate.pass()
            do {
                try Self.respond(request)
            } catch {
                late.add(HalcyonError(wrapping: error))
            }
        }
        try fixture.submit()
        gate.waitForArrivals(1)
        try fixture.submit()
        clock.waitForSleeper(until: clock.now() + Self.second)
        clock.advance(by: Self.second)
        #expect(
            fixture.error(1)?.message
                == "instance 'test_0' of model 'test' has not answered for 1000 ms and is given up")
        #expect(try fixture.outcomes.wait(for: 4).suffix(2).map { try $0.get().isFinal } == [false, true])
        gate.open()
        #expect(late.wait(for: 1) == [HalcyonError(.unavailable, "the request was given up")])
        #expect(fixture.model.freed.wait(for: 1).count == 1, "it is freed when its thread has come back")
        fixture.stop()
        #expect(fixture.outcomes.values.count == 4)
        let statistics = fixture.executor.statistics.snapshot()
        #expect(statistics.success.count == 1 && statistics.fail.count == 1)
    }
}
