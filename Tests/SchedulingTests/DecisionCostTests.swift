import ModelConfigurations
import Scheduling
import Testing

/// What decisions look at is counted, not timed.
@Suite("Cost of decisions")
struct DecisionCostTests {
    struct Load: Sendable {
        var shapes: Int
        var waiting: Int
        var delay: UInt64
    }

    static let loads = [0, 1000].flatMap { delay in
        [(1, 8), (1, 10_000), (1000, 10_000), (1000, 1000)].map { Load(shapes: $0, waiting: $1, delay: delay) }
    }

    @Test("A request costs no more where 10,000 others wait, nor where they have 1,000 shapes", arguments: loads)
    func looks(load: Load) throws {
        let batching = DynamicBatching(maxQueueDelayMicroseconds: load.delay)
        var machine = SchedulerMachine(options: options(maxBatchSize: 4, batching: batching), instanceCount: 2)
        for id in 0..<load.waiting { try machine.add(.test(id, shape: ShapeKey([id % load.shapes]))) }
        let before = machine.queue.looks
        let rounds = 200
        for round in 0..<rounds {
            let now = UInt64(round) + load.delay * 1000
            for id in 0..<4 { try machine.add(.test(id, shape: ShapeKey([round % load.shapes]), at: now)) }
            _ = machine.nextBatch(instance: round % 2, now: now)
        }
        let perRequest = Double(machine.queue.looks - before) / Double(rounds * 4)
        #expect(perRequest <= 60, "\(perRequest) looks a request")
    }

    @Test("Who came first is served first, also among shapes that are held back")
    func turns() throws {
        let batching = DynamicBatching(preferredBatchSizes: [2], maxQueueDelayMicroseconds: 1)
        var machine = SchedulerMachine(options: options(batching: batching), instanceCount: 1)
        try machine.add(.test(1, shape: ShapeKey([1]), at: 0))
        try machine.add(.test(2, shape: ShapeKey([2]), at: 100))
        try machine.add(.test(3, shape: ShapeKey([3]), at: 200))
        #expect(machine.nextBatch(instance: 0, now: 300).holdsUntil == 1000)
        try machine.add(.test(4, shape: ShapeKey([3]), at: 400))
        #expect(machine.nextBatch(instance: 0, now: 500).batch?.ids == [3, 4])
        #expect(machine.nextBatch(instance: 0, now: 1050).batch?.ids == [1])
        #expect(machine.nextBatch(instance: 0, now: 1050).holdsUntil == 1100)
        try machine.add(.test(5, shape: ShapeKey([1]), at: 1060))
        #expect(machine.nextBatch(instance: 0, now: 1100).batch?.ids == [2])
        #expect(machine.nextBatch(instance: 0, now: 1101).holdsUntil == 2060)
    }
}
