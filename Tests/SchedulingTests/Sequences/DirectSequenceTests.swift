import Scheduling
import Testing

@Suite("Sequences with the strategy direct")
struct DirectSequenceTests {
    @Test("Sequences get the lowest slots first, so that instances fill up alike")
    func lowestSlotsFirst() throws {
        var machine = SequenceMachine.direct(slots: 2, instances: 2)
        let wakes = try (1...4).map { try machine.add(.test($0, of: .number(UInt64($0)), start: true)).wake }
        #expect(wakes == [0, 1, nil, nil])
        #expect(machine.runOne(instance: 0)?.ids == [1, 3])
        #expect(machine.runOne(instance: 1)?.ids == [2, 4])
        #expect(machine.busyCount == 0 && machine.waitingCount == 0 && machine.sequenceCount == 4)
    }

    @Test("A batch takes one request a slot, and a slot without one is a row that is not ready")
    func emptyRows() throws {
        var machine = SequenceMachine.direct(slots: 4)
        for id in 1...3 { try machine.add(.test(id, of: .number(UInt64(id)), start: true)) }
        try machine.add(.test(11, of: 1))
        try machine.add(.test(13, of: 3, end: true))
        #expect(machine.runOne()?.ids == [1, 2, 3])
        let batchRun = machine.runOne()
        let batch = try #require(batchRun)
        #expect(batch.ids == [11, -1, 13] && batch.rows.map(\.slot) == [0, 1, 2])
        #expect(
            batch.rows.map(\.control) == [
                SequenceControl(start: false, end: false, ready: true, correlation: 1), .notReady,
                SequenceControl(start: false, end: true, ready: true, correlation: 3),
            ])
        #expect(batch.requests.map(\.id) == [11, 13])
        #expect(machine.nextBatch(instance: 0, now: 0).isPark)
    }

    @Test("A sequence stays with its instance, however idle another one is")
    func staysInPlace() throws {
        var machine = SequenceMachine.direct(slots: 1, instances: 2)
        try machine.add(.test(1, of: 1, start: true))
        try machine.add(.test(2, of: 2, start: true))
        #expect(machine.nextBatch(instance: 0, now: 0).batch?.ids == [1])
        #expect(try machine.add(.test(3, of: 1)).wake == nil)
        #expect(machine.runOne(instance: 1)?.ids == [2])
        #expect(machine.nextBatch(instance: 1, now: 0).isPark)
    }

    @Test("Sequences without a slot wait in the order in which they began, and get it when a last request has run")
    func backlog() throws {
        var machine = SequenceMachine.direct(slots: 1)
        try machine.add(.test(1, of: 1, start: true))
        try machine.add(.test(2, of: .text("b"), start: true))
        try machine.add(.test(3, of: 3, start: true, end: true))
        try machine.add(.test(22, of: .text("b"), end: true))
        try machine.add(.test(11, of: 1, end: true))
        #expect(machine.backlogCount == 2 && machine.waitingCount == 5)
        #expect(machine.runOne()?.ids == [1])
        let last = try #require(machine.nextBatch(instance: 0, now: 0).batch)
        #expect(last.ids == [11] && machine.backlogCount == 2, "the slot is held until the request has run")
        machine.completed(last, now: 0)
        #expect(machine.backlogCount == 1)
        #expect((0..<4).map { _ in machine.runOne()?.ids } == [[2], [22], [3], nil])
        #expect(machine.sequenceCount == 0)
    }

    @Test("A start in the midst of a sequence begins it anew in its slot, behind what waits")
    func restart() throws {
        var machine = SequenceMachine.direct(slots: 2)
        #expect(try machine.add(.test(1, of: 1, start: true)).restarted == false)
        try machine.add(.test(2, of: 1))
        #expect(try machine.add(.test(3, of: 1, start: true)).restarted)
        let batches = (0..<3).compactMap { _ in machine.runOne() }
        #expect(batches.map(\.ids) == [[1], [2], [3]])
        #expect(batches.map { $0.rows.first?.control.start } == [true, false, true])
        #expect(machine.sequenceCount == 1)
    }

    @Test("A correlation id is free as soon as the last request is in, and begins another sequence")
    func idIsFree() throws {
        var machine = SequenceMachine.direct(slots: 2)
        try machine.add(.test(1, of: 1, start: true, end: true))
        #expect(try machine.add(.test(2, of: 1, start: true, end: true)).restarted == false)
        #expect(machine.sequenceCount == 2)
        #expect(machine.runOne()?.ids == [1, 2])
    }

    @Test("A batch is held back until enough slots have a request")
    func utilization() throws {
        var machine = SequenceMachine.direct(slots: 4, delay: 5, utilization: 0.75)
        #expect(try machine.add(.test(1, of: 1, start: true, at: 100)).wake == 0)
        #expect(machine.nextBatch(instance: 0, now: 100).holdsUntil == 5100)
        #expect(try machine.add(.test(2, of: 2, start: true, at: 200)).wake == nil)
        #expect(try machine.add(.test(3, of: 3, start: true, at: 300)).wake == 0)
        let batchRun = machine.runOne(now: 300)
        let batch = try #require(batchRun)
        #expect(batch.ids == [1, 2, 3] && batch.reason == .preferredSize)
    }

    @Test("A batch is held back no longer than the delay, nor while draining")
    func delay() throws {
        var machine = SequenceMachine.direct(slots: 4, delay: 5, utilization: 1)
        try machine.add(.test(1, of: 1, start: true, at: 100))
        #expect(machine.nextBatch(instance: 0, now: 5099).holdsUntil == 5100)
        #expect(machine.runOne(now: 5100)?.reason == .delayExpired)
        try machine.add(.test(2, of: 1, at: 6000))
        #expect(machine.nextBatch(instance: 0, now: 6000).holdsUntil == 11_000)
        machine.drain()
        #expect(machine.runOne(now: 6001)?.reason == .draining)
    }

    @Test("A sequence from the backlog that has waited longer brings the end of the delay forward")
    func earlierDelay() throws {
        var machine = SequenceMachine.direct(slots: 3, delay: 5, utilization: 1)
        for id in 1...3 { try machine.add(.test(id, of: .number(UInt64(id)), start: true)) }
        #expect(machine.runOne(now: 0)?.ids == [1, 2, 3])
        try machine.add(.test(4, of: 4, start: true, at: 100))
        try machine.add(.test(11, of: 1, at: 300))
        #expect(machine.nextBatch(instance: 0, now: 300).holdsUntil == 5300)
        let handle = try machine.add(.test(22, of: 2, at: 400)).handle
        #expect(machine.cancel(handle, now: 500).wake == 0)
        #expect(machine.nextBatch(instance: 0, now: 500).holdsUntil == 5100)
    }

    @Test(
        "A delay or a utilization of 0 holds nothing back", arguments: [(UInt64(5), Float(0)), (UInt64(0), Float(1))])
    func holdsNothing(delay: UInt64, utilization: Float) throws {
        var machine = SequenceMachine.direct(slots: 4, delay: delay, utilization: utilization)
        try machine.add(.test(1, of: 1, start: true))
        #expect(machine.runOne()?.reason == .instanceFree)
    }

    @Test("A request of another shape than the oldest one's stays behind")
    func shapes() throws {
        var machine = SequenceMachine.direct(slots: 3)
        for (id, size) in [(1, 5), (2, 7), (3, 5)] {
            var request = SequencedRequest.test(id, of: .number(UInt64(id)), start: true, at: UInt64(10 - id))
            request.shape = ShapeKey([size])
            try machine.add(request)
        }
        let firstRun = machine.runOne()
        let first = try #require(firstRun)
        #expect(first.ids == [1, -1, 3] && first.reason == .shapeBoundary)
        #expect(machine.runOne()?.ids == [-1, 2])
    }

    @Test("A model that does not batch serves one sequence at a time")
    func unbatched() throws {
        var machine = SequenceMachine.direct(slots: 0)
        try machine.add(.test(1, of: 1, start: true, end: true))
        try machine.add(.test(2, of: 2, start: true, end: true))
        #expect(machine.runOne()?.reason == .unbatched)
        #expect(machine.runOne()?.ids == [2])
    }
}
