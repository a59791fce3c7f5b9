import Scheduling
import Tensors
import Testing

@Suite("Ends of sequences")
struct SequenceEndingTests {
    @Test("A sequence ends when it has been idle for too long; its slot goes to the next, its id must start again")
    func idle() throws {
        var machine = SequenceMachine.direct(slots: 1)
        try machine.add(.test(1, of: 1, start: true, at: 10))
        try machine.add(.test(2, of: 2, start: true, at: 20))
        #expect(machine.runOne(now: 30)?.ids == [1] && machine.nextBatch(instance: 0, now: 30).isPark)
        #expect(machine.nextExpiry() == 1030)
        #expect(machine.expire(now: 1029).idle.isEmpty)
        let expired = machine.expire(now: 1030)
        #expect(expired.idle == [1] && expired.wakes == [0] && expired.timedOut.isEmpty)
        #expect(machine.refusal(of: .test(3, of: 1, at: 1031))?.contains("START") == true)
        #expect(machine.runOne(now: 1031)?.ids == [2])
    }

    @Test("Every request puts the idle time off, and none passes while one waits or runs")
    func notIdle() throws {
        var machine = SequenceMachine.direct(slots: 1)
        try machine.add(.test(1, of: 1, start: true, at: 0))
        #expect(machine.nextExpiry() == nil && machine.expire(now: 5000).idle.isEmpty)
        let batch = try #require(machine.nextBatch(instance: 0, now: 5000).batch)
        #expect(machine.nextExpiry() == nil && machine.expire(now: 9000).idle.isEmpty)
        machine.completed(batch, now: 9000)
        #expect(machine.nextExpiry() == 10_000)
        try machine.add(.test(2, of: 1, at: 9500))
        #expect(machine.nextExpiry() == nil && machine.expire(now: 10_000).idle.isEmpty)
        machine.runOne(now: 10_100)
        #expect(machine.nextExpiry() == 11_100)
    }

    @Test("A sequence that gets no slot as long as one of its requests allows fails as a whole")
    func backlogTimeout() throws {
        var machine = SequenceMachine.direct(slots: 1)
        try machine.add(.test(1, of: 1, start: true, at: 0, timeout: 5))
        try machine.add(.test(2, of: 2, start: true, at: 0))
        try machine.add(.test(3, of: 3, start: true, at: 0, timeout: 900))
        try machine.add(.test(22, of: 2, end: true, at: 100, timeout: 200))
        #expect(machine.nextExpiry() == 300)
        let expired = machine.expire(now: 300)
        #expect(expired.timedOut.map(\.id) == [2, 22] && expired.wakes.isEmpty)
        #expect(HalcyonError.sequenceTimedOut.message == "timeout of the corresponding sequence has been expired")
        #expect(machine.nextExpiry() == 900 && machine.backlogCount == 1 && machine.waitingCount == 2)
        #expect(machine.refusal(of: .test(4, of: 2, at: 301))?.contains("START") == true)
        machine.runOne(now: 300)
        try machine.add(.test(11, of: 1, end: true, at: 301))
        machine.runOne(now: 301)
        #expect(machine.nextExpiry() == nil && machine.runOne(now: 2000)?.ids == [3], "it has a slot, and all the time")
    }

    @Test("A cancelled request takes those behind it along, and the sequence ends when the ones before have run")
    func cancel() throws {
        var machine = SequenceMachine.direct(slots: 1)
        try machine.add(.test(1, of: 1, start: true))
        let handle = try machine.add(.test(2, of: 1)).handle
        try machine.add(.test(3, of: 1))
        try machine.add(.test(4, of: 4, start: true, end: true))
        let cancelled = machine.cancel(handle, now: 1)
        #expect(cancelled.requests.map(\.id) == [2, 3] && cancelled.wake == nil)
        #expect(machine.cancel(handle, now: 1).requests.isEmpty)
        #expect(machine.refusal(of: .test(5, of: 1, at: 1))?.contains("START") == true)
        #expect(machine.runOne()?.ids == [1])
        #expect(machine.runOne()?.ids == [4])
    }

    @Test("A cancelled first request gives the slot to the next sequence, whose worker is woken")
    func cancelFirst() throws {
        var machine = SequenceMachine.direct(slots: 1)
        try machine.add(.test(1, of: 1, start: true))
        machine.runOne()
        #expect(machine.nextBatch(instance: 0, now: 0).isPark)
        let handle = try machine.add(.test(2, of: 1)).handle
        try machine.add(.test(3, of: 3, start: true))
        #expect(machine.cancel(handle, now: 1).requests.map(\.id) == [2])
        #expect(machine.runOne()?.ids == [3])
    }

    @Test("A request that runs can not be cancelled")
    func cancelRunning() throws {
        var machine = SequenceMachine.direct(slots: 1)
        let handle = try machine.add(.test(1, of: 1, start: true)).handle
        let batch = try #require(machine.nextBatch(instance: 0, now: 0).batch)
        #expect(machine.cancel(handle, now: 1).requests.isEmpty && machine.busyCount == 1)
        machine.completed(batch, now: 2)
        try machine.add(.test(2, of: 1))
    }

    @Test("A cancelled request in the backlog no longer counts for how long its sequence may wait")
    func cancelInBacklog() throws {
        var machine = SequenceMachine.direct(slots: 1)
        try machine.add(.test(1, of: 1, start: true))
        try machine.add(.test(2, of: 2, start: true, timeout: 500))
        let handle = try machine.add(.test(3, of: 2, timeout: 100)).handle
        #expect(machine.nextExpiry() == 100)
        #expect(machine.cancel(handle, now: 1).requests.map(\.id) == [3])
        #expect(machine.nextExpiry() == 500)
    }

    @Test("Draining finishes what waits, in the backlog too, and takes nothing more")
    func drain() throws {
        var machine = SequenceMachine.direct(slots: 1)
        try machine.add(.test(1, of: 1, start: true))
        try machine.add(.test(2, of: 2, start: true))
        machine.drain()
        #expect(!machine.isDrained)
        #expect(machine.refusal(of: .test(3, of: 1))?.hasPrefix("Unavailable: Server is stopping") == true)
        #expect(machine.runOne()?.ids == [1])
        #expect(machine.runOne()?.ids == [2])
        #expect(machine.isDrained && machine.nextBatch(instance: 0, now: 0).isExit)
    }

    @Test("Draining may let sequences go on until they end, by their last request or by being idle")
    func drainKeeping() throws {
        var machine = SequenceMachine.direct(slots: 1, instances: 3)
        try machine.add(.test(1, of: 1, start: true))
        try machine.add(.test(2, of: 2, start: true))
        machine.drain(keepingSequences: true)
        #expect(machine.refusal(of: .test(3, of: 3, start: true))?.hasPrefix("Unavailable") == true)
        #expect(machine.nextBatch(instance: 2, now: 0).isExit)
        for instance in 0..<2 {
            #expect(machine.runOne(instance: instance)?.reason != nil)
            #expect(machine.nextBatch(instance: instance, now: 0).isPark)
        }
        #expect(try machine.add(.test(11, of: 1, end: true)).wake == 0)
        #expect(machine.runOne(instance: 0)?.ids == [11])
        #expect(machine.nextBatch(instance: 0, now: 0).isExit && !machine.isDrained)
        #expect(machine.expire(now: 1000).wakes == [1])
        #expect(machine.nextBatch(instance: 1, now: 1000).isExit && machine.isDrained)
    }

    @Test("What is given up is returned in the order of arrival; what runs is waited for")
    func abandon() throws {
        var machine = SequenceMachine.direct(slots: 1)
        try machine.add(.test(1, of: 1, start: true))
        try machine.add(.test(2, of: 2, start: true))
        try machine.add(.test(3, of: 1))
        let batch = try #require(machine.nextBatch(instance: 0, now: 0).batch)
        machine.drain()
        #expect(machine.abandon().map(\.id) == [2, 3])
        #expect(!machine.isDrained && machine.waitingCount == 0)
        machine.completed(batch, now: 1)
        #expect(machine.isDrained && machine.nextBatch(instance: 0, now: 1).isExit)
    }
}
