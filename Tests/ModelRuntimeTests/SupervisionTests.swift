import HalcyonTestKit
import ModelConfigurations
import Scheduling
import Tensors
import Testing
import Threads

@testable import ModelRuntime

@Suite("Instances that hang, and instances that share")
struct SupervisionTests {
    private typealias Outcome = Result<InferenceResponse, HalcyonError>

    static let second: UInt64 = 1_000_000_000

    /// A fixture whose first execution hangs until the gate opens.
    private static func hanging(
        _ gate: Gate, clock: ManualClock, configuration: ModelConfiguration = ExecutorFixture.configuration()
    ) throws -> ExecutorFixture {
        let echo = ScriptedBackend.echo()
        let isFirst = Locked(true)
        return try ExecutorFixture(configuration, clock: clock, mayRunOnCallerThread: true) { batch, identity in
            if isFirst.withLock({ isFirst in
                defer { isFirst = false }
                return isFirst
            }) {
                gate.pass()
            }
            return try echo(&batch, identity)
        } adjust: {
            $0.environment.executionTimeout = second
        }
    }

    /// A fixture whose one instance has been given up five times in a row, each time with a request, as it hangs at the
    /// gate while `hangs` holds.
    private static func losing(
        _ gate: Gate, clock: ManualClock, hangs: Locked<Bool>, _ outcomes: Collected<Outcome>
    ) throws -> ExecutorFixture {
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(ExecutorFixture.configuration(), clock: clock) { batch, identity in
            if hangs.withLock({ $0 }) { gate.pass() }
            return try echo(&batch, identity)
        } adjust: {
            $0.environment.executionTimeout = second
        }
        for count in 1...5 {
            fixture.executor.submit(try ExecutorFixture.request(0), from: .blocking) { outcomes.add($0) }
            gate.waitForArrivals(count)
            clock.waitForSleeper(until: clock.now() + second)
            clock.advance(by: second)
            #expect((try? outcomes.wait(for: count)[count - 1].get()) == nil)
        }
        return fixture
    }

    @Test("An instance that hangs is given up and replaced; its requests fail, those behind it do not")
    func replacement() throws {
        let gate = Gate()
        let clock = ManualClock()
        let fixture = try Self.hanging(gate, clock: clock)
        let outcomes = Collected<Outcome>()
        for value in 0..<2 {
            fixture.executor.submit(try ExecutorFixture.request(Float(value)), from: .blocking) { outcomes.add($0) }
        }
        gate.waitForArrivals(1)
        clock.waitForSleeper(until: clock.now() + Self.second)
        #expect(fixture.executor.complaint == nil)
        clock.advance(by: Self.second)
        let all = outcomes.wait(for: 2)
        #expect(throws: HalcyonError.self) { try all[0].get() }
        if case .failure(let error) = all[0] {
            #expect(error.code == .unavailable)
            #expect(
                error.message
                    == "instance 'test_0' of model 'test' has not answered for 1000 ms and is given up"
            )
        }
        #expect(throws: Never.self) { try all[1].get() }
        // Should the thread come back, its answer is nobody's.
        gate.open()
        fixture.executor.submit(try ExecutorFixture.request(2), from: .blocking) { outcomes.add($0) }
        #expect(outcomes.wait(for: 3).count == 3)
        let statistics = fixture.executor.statistics.snapshot()
        #expect(statistics.success.count == 2 && statistics.fail.count == 1)
        fixture.stop()
        #expect(outcomes.values.count == 3)
    }

    @Test("While the replacement fails the model complains; it is tried again, later each time")
    func failingReplacement() throws {
        let gate = Gate()
        let clock = ManualClock()
        let fixture = try Self.hanging(gate, clock: clock)
        let outcomes = Collected<Outcome>()
        fixture.backend.refusal.withLock { $0 = HalcyonError(.unavailable, "no memory") }
        fixture.executor.submit(try ExecutorFixture.request(0), from: .blocking) { outcomes.add($0) }
        gate.waitForArrivals(1)
        let start = clock.now()
        clock.waitForSleeper(until: start + Self.second)
        clock.advance(by: Self.second)
        clock.waitForSleeper(until: start + 2 * Self.second)
        #expect(fixture.executor.complaint == "instance 'test_0' can't be replaced: no memory")
        fixture.executor.submit(try ExecutorFixture.request(1), from: .blocking) { outcomes.add($0) }
        clock.advance(by: Self.second)
        clock.waitForSleeper(until: start + 4 * Self.second)
        fixture.backend.refusal.withLock { $0 = nil }
        clock.advance(by: 2 * Self.second)
        #expect(throws: Never.self) { try outcomes.wait(for: 2)[1].get() }
        #expect(fixture.executor.complaint == nil)
        gate.open()
        fixture.stop()
    }

    @Test(
        "After too many losses who waits is told so, and the model comes back with the first thread that does",
        .timeLimit(.minutes(1)))
    func comingBack() throws {
        let gate = Gate()
        let clock = ManualClock()
        let hangs = Locked(true)
        let outcomes = Collected<Outcome>()
        let fixture = try Self.losing(gate, clock: clock, hangs: hangs, outcomes)
        clock.waitForSleeper(until: clock.now() + Self.second)
        #expect(fixture.executor.complaint?.contains("too many threads hang in the engine") == true)
        hangs.withLock { $0 = false }
        let impatient = try ExecutorFixture.request(1, timeoutMicroseconds: 500_000)
        fixture.executor.submit(impatient, from: .blocking) { outcomes.add($0) }
        if case .failure(let error) = outcomes.wait(for: 6)[5] {
            #expect(error.code == .unavailable && error.retryAfter == .seconds(1))
            #expect(error.message.hasSuffix("another is made when one of them comes back; try again in 1 s"))
        }
        #expect(fixture.executor.statistics.snapshot().rejections == [.noInstance: 1])
        gate.open()
        fixture.executor.submit(try ExecutorFixture.request(2), from: .blocking) { outcomes.add($0) }
        #expect(throws: Never.self) { try outcomes.wait(for: 7)[6].get() }
        #expect(fixture.executor.complaint == nil)
        fixture.stop()
    }

    @Test("While one instance waits to be replaced, another that hangs is noticed in time", .timeLimit(.minutes(1)))
    func anotherHangs() throws {
        let gate = Gate()
        let clock = ManualClock()
        let configuration = ExecutorFixture.configuration()
        let fixture = try ExecutorFixture(configuration, instances: 2, clock: clock) { batch, identity in
            gate.pass()
            return try ScriptedBackend.echo()(&batch, identity)
        } adjust: {
            $0.environment.executionTimeout = Self.second
        }
        fixture.backend.refusal.withLock { $0 = HalcyonError(.unavailable, "no memory") }
        let outcomes = Collected<Outcome>()
        fixture.executor.submit(try ExecutorFixture.request(0), from: .blocking) { outcomes.add($0) }
        gate.waitForArrivals(1)
        for pause in [1, 1, 2, 4] as [UInt64] {
            clock.waitForSleeper(until: clock.now() + pause * Self.second)
            clock.advance(by: pause * Self.second)
        }
        clock.waitForSleeper(until: clock.now() + 8 * Self.second)
        fixture.executor.submit(try ExecutorFixture.request(1), from: .blocking) { outcomes.add($0) }
        gate.waitForArrivals(2)
        clock.waitForSleeper(until: clock.now() + Self.second)
        clock.advance(by: Self.second)
        #expect(outcomes.wait(for: 2).allSatisfy { (try? $0.get()) == nil })
        fixture.backend.refusal.withLock { $0 = nil }
        gate.open()
        fixture.stop()
    }

    @Test("An engine that never comes back is given one more thread after some pauses", .timeLimit(.minutes(1)))
    func neverBack() throws {
        let gate = Gate()
        let clock = ManualClock()
        let hangs = Locked(true)
        let outcomes = Collected<Outcome>()
        let fixture = try Self.losing(gate, clock: clock, hangs: hangs, outcomes)
        hangs.withLock { $0 = false }
        for pause in [1, 2, 4] as [UInt64] {
            clock.waitForSleeper(until: clock.now() + pause * Self.second)
            clock.advance(by: pause * Self.second)
        }
        fixture.executor.submit(try ExecutorFixture.request(2), from: .blocking) { outcomes.add($0) }
        #expect(throws: Never.self) { try outcomes.wait(for: 6)[5].get() }
        gate.open()
        fixture.stop()
    }

    @Test(
        "A model that is stopped without an instance left gives up what waits, without the pause before a replacement",
        .timeLimit(.minutes(1)), arguments: [true, false])
    func stoppingDeserted(isLostBefore: Bool) throws {
        let gate = Gate()
        let clock = ManualClock()
        let fixture = try Self.hanging(gate, clock: clock)
        let outcomes = Collected<Outcome>()
        fixture.backend.refusal.withLock { $0 = HalcyonError(.unavailable, "no memory") }
        for value in 0..<2 {
            fixture.executor.submit(try ExecutorFixture.request(Float(value)), from: .blocking) { outcomes.add($0) }
        }
        gate.waitForArrivals(1)
        let start = clock.now()
        clock.waitForSleeper(until: start + Self.second)
        let deadline = start + 100 * Self.second
        if isLostBefore {
            clock.advance(by: Self.second)
            clock.waitForSleeper(until: start + 2 * Self.second)
        }
        let stopper = try WorkerThread(name: "stop") { fixture.executor.stop(deadline: deadline) }
        if !isLostBefore {
            clock.waitForSleeper(until: deadline)
            clock.advance(by: Self.second)
        }
        let all = outcomes.wait(for: 2)
        #expect(all.allSatisfy { (try? $0.get()) == nil })
        stopper.join()
        gate.open()
        fixture.timer.stop()
    }

    @Test("An execution whose instance has gone ends sooner, whether it waits for others or not")
    func shortening() {
        var watch = ExecutionWatch<Int>(limit: .never)
        let first = watch.begin(1, on: 0, now: 0)
        #expect(watch.nextDeadline == nil)
        watch.shorten(0, until: 7, "has gone")
        watch.shorten(1, until: 7, "executes nothing")
        watch.pause(first, on: 0)
        watch.resume(first, on: 0, now: 3)
        #expect(watch.nextDeadline == 7)
        let overdue = watch.giveUp(now: 7)
        #expect(overdue.map(\.work) == [1] && overdue.map(\.reason) == ["has gone"])
    }

    @Test("An execution that waits for others sets no deadline, and hides none of the others'")
    func pausing() {
        var watch = ExecutionWatch<Int>(limit: 10)
        let first = watch.begin(1, on: 0, now: 0)
        watch.pause(first, on: 0)
        #expect(watch.nextDeadline == nil)
        _ = watch.begin(2, on: 1, now: 5)
        #expect(watch.nextDeadline == 15)
        watch.resume(first, on: 0, now: 3)
        #expect(watch.nextDeadline == 13)
        #expect(watch.giveUp(now: 13).map(\.work) == [1])
    }

    // MARK: Resources

    private static func sharing(count: Int, priority: Int = 1) -> ModelConfiguration {
        var configuration = ExecutorFixture.configuration(maxBatchSize: 0, dimensions: [1, 4])
        var group = InstanceGroup(name: "test", kind: .cpu, count: 1)
        group.rateLimiter = ModelRateLimiter(
            resources: [.init(name: "camera", isGlobal: true, count: count)], priority: priority)
        configuration.instanceGroups = [group]
        return configuration
    }

    @Test("Instances of different models that share a resource never execute at once")
    func sharing() throws {
        let gate = ResourceGate(stock: [])
        let exclusive = Exclusive()
        let echo = ScriptedBackend.echo()
        let fixtures = try (0..<3).map { _ in
            try ExecutorFixture(
                Self.sharing(count: 1), instances: 2, mayRunOnCallerThread: true,
                script: { batch, identity in try exclusive.run { try echo(&batch, identity) } },
                adjust: { $0.environment.resources = gate })
        }
        let outcomes = Collected<Outcome>()
        for value in 0..<60 {
            for fixture in fixtures {
                fixture.executor.submit(try ExecutorFixture.request(Float(value)), from: .blocking) { outcomes.add($0) }
            }
        }
        #expect(outcomes.wait(for: 180).allSatisfy { (try? $0.get()) != nil })
        #expect(!exclusive.wasShared)
        for fixture in fixtures { fixture.stop() }
    }

    @Test("What a hanging instance held goes to others when it is given up")
    func givenUpResources() throws {
        let resources = ResourceGate(stock: [])
        let gate = Gate()
        let clock = ManualClock()
        let echo = ScriptedBackend.echo()
        let stuck = try ExecutorFixture(Self.sharing(count: 1), clock: clock) { batch, identity in
            gate.pass()
            return try echo(&batch, identity)
        } adjust: {
            $0.environment.resources = resources
            $0.environment.executionTimeout = Self.second
        }
        let other = try ExecutorFixture(Self.sharing(count: 1), adjust: { $0.environment.resources = resources })
        let outcomes = Collected<Outcome>()
        stuck.executor.submit(try ExecutorFixture.request(0), from: .blocking) { outcomes.add($0) }
        gate.waitForArrivals(1)
        other.executor.submit(try ExecutorFixture.request(1), from: .blocking) { outcomes.add($0) }
        clock.waitForSleeper(until: clock.now() + Self.second)
        clock.advance(by: Self.second)
        let all = outcomes.wait(for: 2)
        #expect(all.filter { (try? $0.get()) != nil }.count == 1)
        gate.open()
        stuck.stop()
        other.stop()
    }

    @Test("An instance that needs more than there is can't be made")
    func tooLittle() throws {
        let resources = ResourceGate(stock: [.init(name: "camera", count: 1)])
        #expect(throws: HalcyonError.self) {
            try ExecutorFixture(Self.sharing(count: 2), adjust: { $0.environment.resources = resources })
        }
    }

    @Test(
        "A model whose instances lack a resource is stopped when what waits has gone, by its caller or by its timeout",
        .timeLimit(.minutes(1)), arguments: [true, false])
    func stoppingBlocked(cancels: Bool) throws {
        let resources = ResourceGate(stock: [])
        let gate = Gate()
        let clock = ManualClock()
        let stuck = try ExecutorFixture(Self.sharing(count: 1)) { batch, identity in
            gate.pass()
            return try ScriptedBackend.echo()(&batch, identity)
        } adjust: {
            $0.environment.resources = resources
        }
        let outcomes = Collected<Outcome>()
        stuck.executor.submit(try ExecutorFixture.request(0), from: .blocking) { outcomes.add($0) }
        gate.waitForArrivals(1)
        var configuration = Self.sharing(count: 1)
        configuration.dynamicBatching = DynamicBatching(
            defaultQueuePolicy: QueuePolicy(allowTimeoutOverride: true))
        let other = try ExecutorFixture(configuration, clock: clock, adjust: { $0.environment.resources = resources })
        let handle = other.executor.submit(
            try ExecutorFixture.request(1, timeoutMicroseconds: cancels ? 0 : 1000), from: .blocking
        ) { outcomes.add($0) }
        let deadline = clock.now() + Self.second
        let stopper = try WorkerThread(name: "stop") { other.executor.stop(deadline: deadline) }
        clock.waitForSleeper(until: deadline)
        if cancels {
            handle?.cancel()
        } else {
            clock.waitForSleeper(until: clock.now() + 1_000_000)
            clock.advance(by: 1_000_000)
        }
        stopper.join()
        #expect(outcomes.values.count == 1 && clock.now() < deadline)
        gate.open()
        stuck.stop()
        other.timer.stop()
    }
}
