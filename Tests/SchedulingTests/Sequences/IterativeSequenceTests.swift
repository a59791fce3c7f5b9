import Scheduling
import Testing

@Suite("Iterative sequences")
struct IterativeSequenceTests {
    private func machine(
        candidates: Int = 4, maxBatchSize: Int = 2, namesByText: Bool = false, firstFreshNumber: UInt64 = 1 << 63
    ) -> SequenceMachine {
        var options = SequenceOptions(
            modelName: "m",
            strategy: .oldest(
                maxCandidateSequences: candidates, preferredBatchSizes: [], maxQueueDelayMicroseconds: 0,
                preserveOrdering: false),
            maxBatchSize: maxBatchSize, instanceCount: 1, idleTimeout: 1000)
        options.isIterative = true
        options.namesByText = namesByText
        options.firstFreshNumber = firstFreshNumber
        return SequenceMachine(options: options)
    }

    @Test("A request that is put back runs again behind what waits of others, and does not begin its sequence again")
    func again() throws {
        var machine = machine()
        for id in 1...3 { try machine.add(.test(id, of: .number(UInt64(id)), start: true)) }
        let first = try #require(machine.nextBatch(instance: 0, now: 0).batch)
        #expect(first.ids == [1, 2] && first.rows.allSatisfy(\.control.start))
        let waitsAgain = machine.resume(slot: first.rows[0].slot, instance: 0, as: 11)
        #expect(waitsAgain)
        machine.completed(first, now: 1)
        // The other one has ended with its sequence.
        #expect(machine.sequenceCount == 2 && machine.waitingCount == 2)
        let second = try #require(machine.nextBatch(instance: 0, now: 1).batch)
        #expect(second.ids == [3, 11])
        #expect(second.rows.map(\.control.start) == [true, false])
        #expect(second.rows.map(\.control.correlation) == [3, 1])
        machine.completed(second, now: 2)
        #expect(machine.sequenceCount == 0)
    }

    @Test("Its handle takes it back between two batches")
    func cancel() throws {
        var machine = machine()
        let handle = try machine.add(.test(1, of: 1, start: true)).handle
        let first = try #require(machine.nextBatch(instance: 0, now: 0).batch)
        let early = machine.cancel(handle, now: 0).requests
        #expect(early.isEmpty)
        let waitsAgain = machine.resume(slot: 0, instance: 0, as: 5)
        #expect(waitsAgain)
        machine.completed(first, now: 1)
        let cancelled = machine.cancel(handle, now: 1).requests
        #expect(cancelled.map(\.id) == [5])
        #expect(machine.sequenceCount == 0)
    }

    @Test("It runs to its end while the model is stopped, until what waits is given up")
    func stopping() throws {
        var machine = machine()
        try machine.add(.test(1, of: 1, start: true))
        var batch = try #require(machine.nextBatch(instance: 0, now: 0).batch)
        machine.drain()
        let waitsAgain = machine.resume(slot: 0, instance: 0, as: 2)
        #expect(waitsAgain)
        machine.completed(batch, now: 1)
        #expect(!machine.isDrained)
        batch = try #require(machine.nextBatch(instance: 0, now: 1).batch)
        #expect(batch.ids == [2])
        let abandoned = machine.abandon()
        let waitsOnceMore = machine.resume(slot: 0, instance: 0, as: 3)
        #expect(abandoned.isEmpty && !waitsOnceMore)
        machine.completed(batch, now: 2)
        let next = machine.nextBatch(instance: 0, now: 2)
        #expect(machine.isDrained && next.isExit)
    }

    @Test("Nothing is put back twice, or for an instance that was given up")
    func refused() throws {
        var machine = machine()
        try machine.add(.test(1, of: 1, start: true))
        var answers = [machine.resume(slot: 0, instance: 0, as: 2)]
        _ = machine.nextBatch(instance: 0, now: 0)
        for (slot, instance) in [(3, 0), (99, 0), (0, 4)] {
            answers.append(machine.resume(slot: slot, instance: instance, as: 2))
        }
        let first = machine.resume(slot: 0, instance: 0, as: 2)
        answers.append(machine.resume(slot: 0, instance: 0, as: 3))
        _ = machine.lose(instance: 0)
        answers.append(machine.resume(slot: 0, instance: 0, as: 4))
        #expect(first && !answers.contains(true))
    }

    @Test("A request that names no sequence gets a number that no other has, or a text where the model takes texts")
    func names() throws {
        var numbers = machine(firstFreshNumber: 100)
        try numbers.add(.test(1, of: 102, start: true))
        let fresh = [numbers.freshCorrelation(), numbers.freshCorrelation()]
        #expect(fresh == [.number(101), .number(103)])
        var texts = machine(namesByText: true)
        let text = texts.freshCorrelation()
        #expect(text == .text("9223372036854775809"))
    }

    @Test("A client that comes later with a number of its own finds nobody there")
    func clientsComeLater() throws {
        var machine = machine()
        for id in 1...2 {
            let fresh = machine.freshCorrelation()
            try machine.add(.test(id, of: fresh, start: true))
        }
        for id in UInt64(1)...2 {
            let refusal = machine.refusal(of: .test(3, of: .number(id)))
            #expect(refusal?.contains("must specify the START") == true)
        }
        try machine.add(.test(4, of: 1, start: true))
        #expect(machine.sequenceCount == 3)
    }

    @Test("Numbers begin anew before the model could not be told of them")
    func manyNames() {
        var machine = machine(firstFreshNumber: 2)
        let fresh = (0..<3).map { _ in machine.freshCorrelation() }
        #expect(fresh == [.number(3), .number(2), .number(3)])
    }
}
