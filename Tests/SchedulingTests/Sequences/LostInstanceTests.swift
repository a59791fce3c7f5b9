import Scheduling
import Tensors
import Testing

@Suite("Sequences of instances that are lost")
struct LostInstanceTests {
    @Test("An instance's sequences end with it; its slots are nobody's until it is replaced")
    func slots() throws {
        var machine = SequenceMachine.direct(slots: 1, instances: 2)
        try machine.add(.test(1, of: 1, start: true))
        try machine.add(.test(2, of: 2, start: true))
        #expect(machine.nextBatch(instance: 0, now: 0).batch?.ids == [1])
        #expect(machine.runOne(instance: 1)?.ids == [2])
        try machine.add(.test(11, of: 1))
        try machine.add(.test(12, of: 1, end: true))
        try machine.add(.test(3, of: 3, start: true))
        #expect(machine.lose(instance: 0).map(\.id) == [11, 12], "the first is answered with its batch")
        #expect(machine.sequenceCount == 2 && machine.waitingCount == 1 && machine.backlogCount == 1)
        #expect(machine.nextBatch(instance: 0, now: 1).isPark && !machine.isDeserted)
        try machine.add(.test(21, of: 2, end: true))
        #expect(machine.runOne(instance: 1)?.ids == [21])
        #expect(machine.runOne(instance: 1)?.ids == [3], "what waits gets the other instance's slot")
        try machine.add(.test(4, of: 4, start: true))
        #expect(machine.backlogCount == 1)
        machine.replace(instance: 0, now: 2)
        #expect(machine.backlogCount == 0)
        #expect(machine.runOne(instance: 0)?.ids == [4])
    }

    @Test("The next request of a lost sequence is told so, until it begins again")
    func told() throws {
        var machine = SequenceMachine.oldest(candidates: 2)
        try machine.add(.test(1, of: 1, start: true))
        #expect(machine.runOne()?.ids == [1])
        try machine.add(.test(2, of: 2, start: true))
        _ = machine.nextBatch(instance: 0, now: 0)
        #expect(machine.lose(instance: 0).isEmpty)
        #expect(
            machine.refusal(of: .test(3, of: 1))?.contains("is gone: the next request must specify the START")
                == true)
        #expect(machine.refusal(of: .test(3, of: 5))?.contains("given up") == false)
        try machine.add(.test(4, of: 1, start: true))
        #expect(machine.backlogCount == 1)
        machine.replace(instance: 0, now: 0)
        #expect(machine.runOne()?.ids == [4])
        try machine.add(.test(5, of: 1, end: true))
        #expect(machine.runOne()?.ids == [5])
        #expect(machine.refusal(of: .test(6, of: 1))?.contains("given up") == false)
    }

    @Test("Without an instance, sequences that would not wait for the next end at once, and later ones are refused")
    func outage() throws {
        let second: UInt64 = 1_000_000_000
        var machine = SequenceMachine.direct(slots: 1)
        try machine.add(.test(1, of: 1, start: true))
        try machine.add(.test(2, of: 2, start: true))
        var patient = SequencedRequest.test(3, of: 3, start: true)
        patient.timeout = 9 * second
        try machine.add(patient)
        _ = machine.nextBatch(instance: 0, now: 0)
        _ = machine.lose(instance: 0)
        let impatient = machine.suffer(Outage(end: 7 * second, reason: "none is there"), now: second)
        #expect(impatient.map(\.id) == [2])
        #expect(machine.refusal(of: .test(4, of: 4, start: true)) == "Unavailable: none is there; try again in 7 s")
        machine.replace(instance: 0, now: 2 * second)
        #expect(machine.runOne()?.ids == [3])
        #expect(machine.refusal(of: .test(5, of: 5, start: true)) == nil)
    }

    @Test("Draining without an instance left: what waits can only be given up")
    func draining() throws {
        var machine = SequenceMachine.direct(slots: 1)
        try machine.add(.test(1, of: 1, start: true))
        try machine.add(.test(2, of: 2, start: true))
        _ = machine.nextBatch(instance: 0, now: 0)
        machine.drain()
        #expect(machine.lose(instance: 0).isEmpty && machine.isDeserted && !machine.isDrained)
        #expect(machine.abandon().map(\.id) == [2])
        #expect(machine.isDrained)
        machine.replace(instance: 0, now: 1)
        #expect(machine.nextBatch(instance: 0, now: 1).isExit)
    }

    @Test("A worker that keeps states is woken for those that are of no use any more")
    func endedStates() throws {
        var machine = SequenceMachine(
            options: SequenceOptions(
                modelName: "m", strategy: .direct(delayMicroseconds: 0, minimumSlotUtilization: 0), maxBatchSize: 2,
                instanceCount: 1, idleTimeout: 1000, keepsStates: true))
        try machine.add(.test(1, of: 1, start: true))
        try machine.add(.test(2, of: 2, start: true))
        machine.runOne()
        #expect(machine.nextBatch(instance: 0, now: 0).isPark && machine.takeEnded(instance: 0).isEmpty)
        let expired = machine.expire(now: 1000)
        #expect(expired.idle == [1, 2] && expired.wakes == [0])
        #expect(machine.nextBatch(instance: 0, now: 1000).isPark)
        #expect(machine.takeEnded(instance: 0) == [0, 1] && machine.takeEnded(instance: 0).isEmpty)
    }
}
