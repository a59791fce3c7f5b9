import Scheduling
import Testing

@Suite("Sequences with the strategy oldest")
struct OldestSequenceTests {
    @Test("Requests of different sequences are batched in the order in which their turns came, one a sequence")
    func order() throws {
        var machine = SequenceMachine.oldest(candidates: 8, maxBatchSize: 3)
        for id in [4, 2, 1, 3] { try machine.add(.test(id, of: .number(UInt64(id)), start: true)) }
        try machine.add(.test(44, of: 4, end: true))
        let first = try #require(machine.nextBatch(instance: 0, now: 0).batch)
        #expect(first.ids == [4, 2, 1] && first.rows.map(\.slot) == [0, 1, 2] && first.reason == .full)
        machine.completed(first, now: 1)
        let secondRun = machine.runOne(now: 1)
        let second = try #require(secondRun)
        #expect(second.ids == [3, 44] && second.rows.map(\.slot) == [3, 0])
        #expect(second.rows.map(\.control.end) == [false, true])
        #expect((first.requests + second.requests).map(\.turn) == [0, 1, 2, 3, 4])
    }

    @Test("No more sequences are candidates than allowed; the others wait in the backlog")
    func candidates() throws {
        var machine = SequenceMachine.oldest(candidates: 2, maxBatchSize: 4)
        for id in 1...4 { try machine.add(.test(id, of: .number(UInt64(id)), start: true, end: id == 2)) }
        #expect(machine.backlogCount == 2)
        #expect(machine.runOne()?.ids == [1, 2])
        #expect(machine.runOne()?.ids == [3])
        #expect(machine.backlogCount == 1 && machine.nextBatch(instance: 0, now: 0).isPark)
    }

    @Test("Without a number of candidates there are as many as the batch has rows, on every instance")
    func defaultCandidates() throws {
        var machine = SequenceMachine.oldest(candidates: 0, maxBatchSize: 2, instances: 2)
        for id in 1...5 { try machine.add(.test(id, of: .number(UInt64(id)), start: true)) }
        #expect(machine.backlogCount == 1)
        #expect(machine.runOne(instance: 0)?.ids == [1, 3])
        #expect(machine.runOne(instance: 1)?.ids == [2, 4])
    }

    @Test("A preferred size runs at once; anything else when the delay is over, counted from the requests' turns")
    func preferredAndDelay() throws {
        var machine = SequenceMachine.oldest(candidates: 4, preferred: [2], delay: 1)
        try machine.add(.test(1, of: 1, start: true, at: 100))
        try machine.add(.test(11, of: 1, at: 100))
        #expect(machine.nextBatch(instance: 0, now: 100).holdsUntil == 1100)
        #expect(try machine.add(.test(2, of: 2, start: true, at: 200)).wake == 0)
        let batch = try #require(machine.nextBatch(instance: 0, now: 200).batch)
        #expect(batch.ids == [1, 2] && batch.reason == .preferredSize)
        machine.completed(batch, now: 700)
        #expect(machine.nextBatch(instance: 0, now: 700).holdsUntil == 1700)
        #expect(machine.runOne(now: 1700)?.reason == .delayExpired)
    }

    @Test("A model that does not batch runs one request at a time, of as many sequences as are candidates")
    func unbatched() throws {
        var machine = SequenceMachine.oldest(candidates: 3, maxBatchSize: 0)
        for id in 1...3 { try machine.add(.test(id, of: .number(UInt64(id)), start: true)) }
        try machine.add(.test(11, of: 1))
        #expect((0..<4).map { _ in machine.runOne()?.ids } == [[1], [2], [3], [11]])
    }

    @Test("A great number of candidates costs nothing before there are sequences")
    func manyCandidates() throws {
        var machine = SequenceMachine.oldest(candidates: Int(Int32.max), maxBatchSize: 2, instances: 64)
        try machine.add(.test(1, of: 1, start: true, end: true))
        #expect(machine.runOne()?.ids == [1])
    }

    @Test("A cancelled request has had its turn, if it came")
    func cancelledTurn() throws {
        var machine = SequenceMachine.oldest(candidates: 2)
        let handle = try machine.add(.test(1, of: 1, start: true)).handle
        try machine.add(.test(11, of: 1))
        try machine.add(.test(2, of: 2, start: true))
        #expect(machine.cancel(handle, now: 0).requests.map(\.turn) == [0, nil])
        #expect(machine.runOne()?.requests.map(\.turn) == [1])
    }
}
