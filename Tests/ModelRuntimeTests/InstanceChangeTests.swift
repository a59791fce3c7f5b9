import HalcyonTestKit
import ModelConfigurations
import Tensors
import Testing
import Threads

@testable import ModelRuntime

@Suite("Instances that are added and removed while a model serves")
struct InstanceChangeTests {
    private static func identities(_ count: Int, policy: HostPolicy? = nil) -> [InstanceIdentity] {
        (0..<count).map { index in
            var identity = InstanceIdentity(name: "test_\(index)", kind: .cpu, index: index)
            identity.hostPolicy = policy
            return identity
        }
    }

    private static func change(_ executor: ModelExecutor, to instances: [InstanceIdentity]) throws -> InstanceChange {
        let change = try executor.change(to: instances, executor.configuration, warmUp: WarmUpPlan())
        return try #require(change)
    }

    @Test("What runs goes on, the new instances run what waits, and statistics go on")
    func added() throws {
        let gate = Gate()
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(ExecutorFixture.configuration(maxBatchSize: 0)) { batch, identity in
            if try batch.inputs[0].elements(as: Float.self)[0] == 2 { gate.pass() }
            return try echo(&batch, identity)
        }
        let outcomes = Collected<Float>()
        func submit(_ value: Float) throws {
            let input = try Tensor(name: "IN", shape: [4], [Float](repeating: value, count: 4))
            fixture.executor.submit(
                InferenceRequest(modelName: "test", inputs: [input]), from: .nonBlocking
            ) { _ in outcomes.add(value) }
        }
        try submit(2)
        gate.waitForArrivals(1)
        try submit(1)
        let change = try Self.change(fixture.executor, to: Self.identities(3))
        #expect(change.addedCount == 2 && change.removedCount == 0)
        #expect(fixture.executor.instanceCount == 1)
        try fixture.executor.apply(change)
        #expect(fixture.executor.instanceCount == 3)
        #expect(outcomes.wait(for: 1) == [1])
        // The one that is busy goes when it has finished, and loses nothing.
        let fewer = try Self.change(fixture.executor, to: Self.identities(1, policy: HostPolicy()))
        #expect(fewer.addedCount == 1 && fewer.removedCount == 3)
        try fixture.executor.apply(fewer)
        #expect(fixture.executor.instanceCount == 1)
        try submit(3)
        #expect(outcomes.wait(for: 2) == [1, 3])
        gate.open()
        #expect(outcomes.wait(for: 3) == [1, 3, 2])
        #expect(fixture.executor.statistics.snapshot().inferenceCount == 3)
        fixture.stop()
    }

    @Test("An instance that can't be made changes nothing")
    func refused() throws {
        let fixture = try ExecutorFixture(ExecutorFixture.configuration())
        fixture.backend.refusal.withLock { $0 = HalcyonError(.unavailable, "no more") }
        #expect(throws: HalcyonError.self) { try Self.change(fixture.executor, to: Self.identities(2)) }
        #expect(fixture.executor.instanceCount == 1)
        let outcomes = Collected<Bool>()
        fixture.executor.submit(try ExecutorFixture.request(1), from: .nonBlocking) {
            outcomes.add((try? $0.get()) != nil)
        }
        #expect(outcomes.wait(for: 1) == [true])
        fixture.stop()
    }

    @Test("The same instances again are no change, and an instance that was lost is not missed when it is removed")
    func lost() throws {
        let gate = Gate()
        let clock = ManualClock()
        let second = SupervisionTests.second
        let echo = ScriptedBackend.echo()
        let fixture = try ExecutorFixture(ExecutorFixture.configuration(), clock: clock) { batch, identity in
            if try batch.inputs[0].elements(as: Float.self)[0] == 2 { gate.pass() }
            return try echo(&batch, identity)
        } adjust: {
            $0.environment.executionTimeout = second
        }
        let same = try Self.change(fixture.executor, to: Self.identities(1))
        #expect(same.addedCount == 0 && same.removedCount == 0)
        let outcomes = Collected<Bool>()
        fixture.backend.refusal.withLock { $0 = HalcyonError(.unavailable, "no more") }
        fixture.executor.submit(try ExecutorFixture.request(2), from: .nonBlocking) {
            outcomes.add((try? $0.get()) != nil)
        }
        gate.waitForArrivals(1)
        clock.waitForSleeper(until: clock.now() + second)
        clock.advance(by: second)
        #expect(outcomes.wait(for: 1) == [false])
        #expect(fixture.executor.complaint != nil)
        fixture.backend.refusal.withLock { $0 = nil }
        let change = try Self.change(fixture.executor, to: Self.identities(1, policy: HostPolicy()))
        #expect(change.addedCount == 1 && change.removedCount == 1)
        try fixture.executor.apply(change)
        #expect(fixture.executor.complaint == nil)
        fixture.executor.submit(try ExecutorFixture.request(1), from: .nonBlocking) {
            outcomes.add((try? $0.get()) != nil)
        }
        #expect(outcomes.wait(for: 2) == [false, true])
        gate.open()
        fixture.stop()
    }
}
