import Scheduling
import Testing

@Suite("Instances of sequences that come and go")
struct SequenceInstanceTests {
    @Test("Those that wait for a slot get those of a new instance")
    func added() throws {
        var machine = SequenceMachine.direct(slots: 1)
        for id in 1...2 {
            _ = try machine.enqueue(.test(id, of: CorrelationID.number(UInt64(id)), start: true), now: 0)
        }
        #expect(machine.backlogCount == 1)
        #expect(machine.add(count: 2, now: 1) == 1..<3)
        #expect(machine.backlogCount == 0 && machine.activeCount == 3)
        #expect(machine.nextBatch(instance: 1, now: 1).batch?.ids == [2])
        _ = try machine.enqueue(.test(3, of: 3, start: true), now: 2)
        #expect(machine.nextBatch(instance: 2, now: 2).batch?.ids == [3])
    }

    @Test("A removed instance keeps its sequences until they end, gets no others, and its worker ends then")
    func removed() throws {
        var machine = SequenceMachine.direct(slots: 1, instances: 2)
        for id in 1...3 {
            _ = try machine.enqueue(.test(id, of: CorrelationID.number(UInt64(id)), start: true), now: 0)
        }
        let keeps = machine.remove(instance: 0)
        #expect(!keeps && machine.isRemoved(0) && machine.activeCount == 1)
        let first = try #require(machine.nextBatch(instance: 0, now: 0).batch)
        machine.completed(first, now: 1)
        #expect(machine.nextBatch(instance: 0, now: 1).isPark)
        let last = try machine.enqueue(.test(4, of: 1, end: true), now: 2)
        #expect(last.wake == 0)
        let batch = try #require(machine.nextBatch(instance: 0, now: 2).batch)
        #expect(batch.ids == [4])
        machine.completed(batch, now: 3)
        #expect(machine.backlogCount == 1, "its slot is nobody's")
        #expect(machine.nextBatch(instance: 0, now: 3).isExit)
        // The other's goes to the one that waits.
        let second = try #require(machine.nextBatch(instance: 1, now: 3).batch)
        machine.completed(second, now: 4)
        _ = try machine.enqueue(.test(5, of: 2, end: true), now: 5)
        let end = try #require(machine.nextBatch(instance: 1, now: 5).batch)
        machine.completed(end, now: 6)
        #expect(machine.nextBatch(instance: 1, now: 6).batch?.ids == [3])
    }

    @Test("One without sequences ends at once")
    func idle() throws {
        var machine = SequenceMachine.direct(slots: 1, instances: 2)
        let ends = machine.remove(instance: 1)
        #expect(ends)
        #expect(machine.nextBatch(instance: 1, now: 0).isExit)
        for id in 1...2 {
            _ = try machine.enqueue(.test(id, of: CorrelationID.number(UInt64(id)), start: true), now: 0)
        }
        #expect(machine.backlogCount == 1)
        #expect(machine.nextBatch(instance: 0, now: 0).batch?.ids == [1])
    }
}
