import ModelConfigurations
import Testing

@testable import Scheduling

@Suite("The scheduler machine with a latency budget")
struct LatencyBudgetMachineTests {
    private func machine(budget: UInt64, delay: UInt64 = 0, instances: Int = 1) -> SchedulerMachine {
        var configuration = ModelConfiguration(name: "m")
        configuration.maxBatchSize = 8
        configuration.dynamicBatching = DynamicBatching(maxQueueDelayMicroseconds: delay)
        configuration.parameters["latency_budget_microseconds"] = String(budget)
        return SchedulerMachine(options: SchedulingOptions(configuration), instanceCount: instances)
    }

    @Test("The configuration says what the budget is, and only with dynamic batching")
    func options() {
        #expect(machine(budget: 50).options.latencyBudget == 50_000)
        var configuration = ModelConfiguration(name: "m")
        configuration.parameters["latency_budget_microseconds"] = "50"
        #expect(SchedulingOptions(configuration).latencyBudget == 0)
    }

    @Test("While nothing has been measured, batches are formed as without a budget")
    func unmeasured() throws {
        var machine = machine(budget: 50, delay: 100)
        try machine.add(.test(1, at: 0))
        #expect(machine.nextBatch(instance: 0, now: 0).holdsUntil == 100_000)
    }

    @Test("A batch is held back until its oldest request has only the time left that the largest batch takes")
    func held() throws {
        var machine = machine(budget: 50, delay: 100)
        machine.executed(size: 8, duration: 10_000)
        try machine.add(.test(1, at: 1_000))
        #expect(machine.nextBatch(instance: 0, now: 1_000).holdsUntil == 41_000)
        try machine.add(.test(2, at: 30_000))
        let batch = machine.nextBatch(instance: 0, now: 41_000).batch
        #expect(batch?.ids == [1, 2])
        #expect(batch?.reason == .latencyBudget)
    }

    @Test("Never beyond max_queue_delay")
    func delayed() throws {
        var machine = machine(budget: 50, delay: 20)
        machine.executed(size: 8, duration: 10_000)
        try machine.add(.test(1, at: 0))
        #expect(machine.nextBatch(instance: 0, now: 0).holdsUntil == 20_000)
        #expect(machine.nextBatch(instance: 0, now: 20_000).batch?.reason == .delayExpired)
    }

    @Test("A batch ends before the request that would make its oldest late, where both parts are in time")
    func shortened() throws {
        var machine = machine(budget: 50, instances: 2)
        machine.executed(size: 1, duration: 10_000)
        machine.executed(size: 8, duration: 80_000)
        for id in 1...8 { try machine.add(.test(id, at: 0)) }
        // The other instance is free for the rest.
        let first = machine.nextBatch(instance: 1, now: 1_000)
        #expect(first.batch?.ids == [1, 2, 3, 4])
        #expect(first.batch?.reason == .latencyBudget)
        #expect(first.batch?.leftWaiting == 4)
        #expect(machine.nextBatch(instance: 0, now: 1_000).batch?.ids == [5, 6, 7, 8])
    }

    @Test("What is late anyway is not made smaller for it")
    func late() throws {
        var machine = machine(budget: 50)
        machine.executed(size: 1, duration: 10_000)
        machine.executed(size: 8, duration: 80_000)
        for id in 1...8 { try machine.add(.test(id, at: 0)) }
        #expect(machine.nextBatch(instance: 0, now: 60_000).batch?.ids.count == 8)
    }

    @Test("A free instance waits where requests come faster than it takes them, and a larger batch costs less")
    func worthHolding() throws {
        var machine = machine(budget: 50_000)
        machine.executed(size: 1, duration: 10_000_000)
        machine.executed(size: 8, duration: 12_000_000)
        for id in 1...3 { try machine.add(.test(id, at: UInt64(id) * 1_000_000)) }
        #expect(machine.nextBatch(instance: 0, now: 3_000_000).holdsUntil == 1_000_000 + 50_000_000 - 12_000_000)
    }

    @Test("It does not wait where it keeps up, nor where a larger batch gains nothing")
    func notWorthHolding() throws {
        var slow = machine(budget: 500_000)
        slow.executed(size: 1, duration: 10_000_000)
        slow.executed(size: 8, duration: 12_000_000)
        for id in 1...3 { try slow.add(.test(id, at: UInt64(id) * 20_000_000)) }
        #expect(slow.nextBatch(instance: 0, now: 60_000_000).batch?.reason == .instanceFree)
        var linear = machine(budget: 500_000)
        linear.executed(size: 1, duration: 10_000_000)
        linear.executed(size: 8, duration: 80_000_000)
        for id in 1...3 { try linear.add(.test(id, at: UInt64(id) * 1_000_000)) }
        #expect(linear.nextBatch(instance: 0, now: 3_000_000).batch?.ids == [1, 2, 3])
    }
}
