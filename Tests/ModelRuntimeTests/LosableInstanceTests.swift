import HalcyonTestKit
import Logging
import ModelConfigurations
import Tensors
import Testing
import Threads

@testable import ModelRuntime

/// A model whose instances go when a test says so.
private final class FragileModel: BackendModel {
    typealias Script = @Sendable ([HandedRequest], Instance) throws -> Void

    private let script: Script
    let instances = Collected<Instance>()
    let refusal = Locked<HalcyonError?>(nil)

    init(_ script: @escaping Script) { self.script = script }

    func makeInstance(_ identity: InstanceIdentity) throws -> any ModelInstance {
        if let refusal = refusal.withLock({ $0 }) { throw refusal }
        let instance = Instance(script)
        instances.add(instance)
        return instance
    }

    final class Instance: RequestTakingInstance, LosableInstance, Sendable {
        private struct State {
            var loss: HalcyonError?
            var handlers: [@Sendable (HalcyonError) -> Void] = []
            var held: [HandedRequest] = []
        }

        private let script: Script
        private let state = Locked(State())

        init(_ script: @escaping Script) { self.script = script }

        var mayBeLost: Bool { true }

        func whenLost(_ handler: @escaping @Sendable (HalcyonError) -> Void) {
            let loss = state.withLock { state in
                if state.loss == nil { state.handlers.append(handler) }
                return state.loss
            }
            if let loss { handler(loss) }
        }

        /// Keeps a request without an answer.
        func hold(_ request: HandedRequest) { state.withLock { $0.held.append(request) } }

        func go() {
            let error = HalcyonError(.unavailable, "its process has ended")
            let (handlers, held) = state.withLock { state in
                state.loss = error
                return (state.handlers, state.held)
            }
            for request in held { request.abandon(error) }
            for handler in handlers { handler(error) }
        }

        func execute(_ requests: [HandedRequest], _ statistics: BatchStatisticsSink) throws {
            if let loss = state.withLock({ $0.loss }) { throw loss }
            try script(requests, self)
        }

        func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] { [] }
    }
}

@Suite("Instances that go by themselves", .timeLimit(.minutes(5)))
struct LosableInstanceTests {
    private typealias Outcome = Result<InferenceResponse, HalcyonError>
    private static let second: UInt64 = 1_000_000_000

    private struct Fixture {
        let model: FragileModel
        let executor: ModelExecutor
        let timer: DeadlineTimer
        let outcomes = Collected<Outcome>()

        init(instances: Int = 1, clock: any SchedulingClock, _ script: @escaping FragileModel.Script) throws {
            model = FragileModel(script)
            timer = DeadlineTimer(clock: clock)
            executor = try ModelExecutor(
                ModelExecutor.Parts(
                    model: model, version: 1, configuration: ExecutorFixture.configuration(),
                    instances: (0..<instances).map { InstanceIdentity(name: "test_\($0)", kind: .cpu, index: $0) },
                    environment: ExecutionEnvironment(
                        clock: clock, timer: timer,
                        log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))))
        }

        func submit(_ value: Float) throws {
            executor.submit(try ExecutorFixture.request(value), from: .blocking) { outcomes.add($0) }
        }

        func stop() {
            executor.stop()
            timer.stop()
        }
    }

    private static func answer(_ requests: [HandedRequest]) throws {
        for request in requests {
            var output = try #require(request.inputs.first)
            output.name = "OUT"
            try request.respond([output])
        }
    }

    private static func message(_ outcome: Outcome) -> String {
        if case .failure(let error) = outcome { error.message } else { "" }
    }

    @Test("One that goes while it is idle is replaced, and what comes meanwhile is answered by the next")
    func idle() throws {
        let fixture = try Fixture(clock: ManualClock()) { requests, _ in try Self.answer(requests) }
        fixture.model.instances.wait(for: 1)[0].go()
        try fixture.submit(1)
        #expect(throws: Never.self) { try fixture.outcomes.wait(for: 1)[0].get() }
        #expect(fixture.model.instances.values.count == 2 && fixture.executor.complaint == nil)
        fixture.stop()
    }

    @Test("One that goes in an execution has its requests answered, kept ones too, and is waited for no more")
    func executing() throws {
        let fixture = try Fixture(clock: ManualClock()) { requests, instance in
            guard requests.contains(where: { $0.id == "1.0" }) else { return try Self.answer(requests) }
            for request in requests { instance.hold(request) }
            instance.go()
        }
        try fixture.submit(1)
        #expect(Self.message(fixture.outcomes.wait(for: 1)[0]) == "its process has ended")
        try fixture.submit(2)
        #expect(throws: Never.self) { try fixture.outcomes.wait(for: 2)[1].get() }
        // Although the first instance still holds its request.
        fixture.stop()
        #expect(fixture.executor.statistics.snapshot().fail.count == 1)
    }

    @Test("One that goes and does not come back from its execution is given up")
    func stuck() throws {
        let gate = Gate()
        let clock = ManualClock()
        let fixture = try Fixture(clock: clock) { requests, _ in
            if requests.contains(where: { $0.id == "1.0" }) { gate.pass() }
            try Self.answer(requests)
        }
        try fixture.submit(1)
        gate.waitForArrivals(1)
        fixture.model.instances.wait(for: 1)[0].go()
        #expect(fixture.executor.complaint == "its process has ended")
        clock.waitForSleeper(until: clock.now() + 5 * Self.second)
        clock.advance(by: 5 * Self.second)
        #expect(
            Self.message(fixture.outcomes.wait(for: 1)[0])
                == "instance 'test_0' of model 'test' has gone in the middle of an execution (its process has ended) "
                + "and is given up")
        try fixture.submit(2)
        #expect(throws: Never.self) { try fixture.outcomes.wait(for: 2)[1].get() }
        gate.open()
        fixture.stop()
    }

    @Test("One of two that goes leaves what waits to the other")
    func pair() throws {
        let clock = ManualClock()
        let fixture = try Fixture(instances: 2, clock: clock) { requests, _ in try Self.answer(requests) }
        fixture.model.refusal.withLock { $0 = HalcyonError(.unavailable, "no memory") }
        fixture.model.instances.wait(for: 2)[0].go()
        for value in 0..<20 { try fixture.submit(Float(value)) }
        #expect(fixture.outcomes.wait(for: 20).allSatisfy { (try? $0.get()) != nil })
        clock.waitForSleeper(until: clock.now() + Self.second)
        #expect(fixture.executor.complaint == "instance 'test_0' can't be replaced: no memory")
        fixture.model.refusal.withLock { $0 = nil }
        fixture.stop()
    }

    @Test("One that goes again and again is replaced after growing pauses; who does not wait so long is told")
    func again() throws {
        let clock = ManualClock()
        let fixture = try Fixture(clock: clock) { requests, _ in try Self.answer(requests) }
        for (index, pause) in ([0, 1, 2, 4, 8] as [UInt64]).enumerated() {
            fixture.model.instances.wait(for: index + 1)[index].go()
            guard pause > 0 else { continue }
            clock.waitForSleeper(until: clock.now() + pause * Self.second)
            if pause < 8 { clock.advance(by: pause * Self.second) }
        }
        try fixture.submit(1)
        // Where it is refused at the door, and not among those that wait, it is named.
        let message = Self.message(fixture.outcomes.wait(for: 1)[0])
        #expect(message.hasSuffix("its process has ended; try again in 8 s"))
        #expect(fixture.executor.complaint == "its process has ended")
        fixture.stop()
    }
}
