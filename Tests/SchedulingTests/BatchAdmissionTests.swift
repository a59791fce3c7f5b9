import ModelConfigurations
import Synchronization
import Testing

@testable import Scheduling

@Suite("A say in which requests share a batch")
struct BatchAdmissionTests {
    /// Requests may share a batch while the sum of their numbers is not above a limit.
    private func machine(
        limit: Int, delay: UInt64 = 0, preferred: [Int] = [], instances: Int = 1
    ) -> SchedulerMachine {
        let batching = DynamicBatching(preferredBatchSizes: preferred, maxQueueDelayMicroseconds: delay)
        return SchedulerMachine(
            options: options(batching: batching), instanceCount: instances,
            admission: BatchAdmission { batch, next in batch.map(\.id).reduce(next.id, +) <= limit })
    }

    @Test("A batch ends before the first request that may not join, and that begins the next")
    func ends() throws {
        var machine = machine(limit: 10)
        for id in [4, 5, 3, 1, 9] { try machine.add(.test(id)) }
        let first = machine.nextBatch(instance: 0, now: 0).batch
        #expect(first?.ids == [4, 5] && first?.reason == .strategy && first?.leftWaiting == 3)
        let second = machine.nextBatch(instance: 0, now: 0).batch
        #expect(second?.ids == [3, 1] && second?.reason == .strategy)
        let third = machine.nextBatch(instance: 0, now: 0).batch
        #expect(third?.ids == [9] && third?.reason == .instanceFree)
    }

    @Test("A batch that can't grow any more is held back no longer")
    func released() throws {
        var machine = machine(limit: 10, delay: 100)
        try machine.add(.test(6))
        #expect(machine.nextBatch(instance: 0, now: 0).holdsUntil == 100_000)
        try machine.add(.test(4, at: 5))
        #expect(machine.nextBatch(instance: 0, now: 5).holdsUntil == 100_000)
        try machine.add(.test(1, at: 6))
        let batch = machine.nextBatch(instance: 0, now: 6).batch
        #expect(batch?.ids == [6, 4] && batch?.reason == .strategy)
        #expect(machine.nextBatch(instance: 0, now: 6).holdsUntil == 100_006)
    }

    @Test("The first request of a batch runs, whatever is said of it")
    func first() throws {
        var machine = machine(limit: 0)
        for id in [4, 5] { try machine.add(.test(id)) }
        #expect(machine.nextBatch(instance: 0, now: 0).batch?.ids == [4])
        #expect(machine.nextBatch(instance: 0, now: 0).batch?.ids == [5])
    }

    @Test("A preferred size comes first, and one that can't be reached any more is not waited for")
    func preferred() throws {
        var machine = machine(limit: 6, delay: 100, preferred: [2, 4])
        for id in [1, 2, 3, 4] { try machine.add(.test(id)) }
        let batch = machine.nextBatch(instance: 0, now: 0).batch
        #expect(batch?.ids == [1, 2] && batch?.reason == .preferredSize)
        let rest = machine.nextBatch(instance: 0, now: 0).batch
        #expect(rest?.ids == [3] && rest?.reason == .strategy)
    }

    @Test("Where a request leaves, those behind it are asked for anew")
    func cancelled() throws {
        var machine = machine(limit: 10, delay: 100)
        try machine.add(.test(6))
        let handle = try machine.enqueue(.test(4), callerMayRun: false, now: 0).handle
        try machine.add(.test(3))
        _ = machine.cancel(handle, now: 1)
        #expect(machine.nextBatch(instance: 0, now: 1).holdsUntil == 100_000)
        #expect(machine.nextBatch(instance: 0, now: 100_000).batch?.ids == [6, 3])
    }

    @Test("Each request is asked for once in each batch, with those before it")
    func asked() throws {
        let asked = Mutex<[[Int]]>([])
        var machine = SchedulerMachine(
            options: options(batching: DynamicBatching(maxQueueDelayMicroseconds: 100)), instanceCount: 1,
            admission: BatchAdmission { batch, next in
                asked.withLock { $0.append(batch.map(\.id) + [next.id]) }
                return next.id != 3
            })
        for id in 1...4 { try machine.add(.test(id)) }
        #expect(machine.nextBatch(instance: 0, now: 0).batch?.ids == [1, 2])
        #expect(asked.withLock { $0 } == [[1], [1, 2], [1, 2, 3], [3], [3, 4]])
    }

    @Test("Nobody is asked where requests are not combined")
    func single() throws {
        var machine = SchedulerMachine(
            options: options(batching: nil), instanceCount: 1,
            admission: BatchAdmission { _, _ in
                Issue.record("asked")
                return true
            })
        for id in 1...2 { try machine.add(.test(id)) }
        #expect(machine.nextBatch(instance: 0, now: 0).batch?.ids == [1])
    }
}
