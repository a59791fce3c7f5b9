import Scheduling
import Testing

@testable import FlightRecords

@Suite("The last batches of a model")
struct BatchRingTests {
    private func record(_ ring: BatchRing, count: Int = 1, at time: UInt64 = 0) {
        let batch = BatchOutline(instance: 0, size: count, reason: .instanceFree, start: time + 100, end: time + 110)
        ring.append(batch, by: "m", count: count) { RecordedRequest(arrival: time + UInt64($0)) }
    }

    @Test("What is known of a batch is kept")
    func keeps() {
        let ring = BatchRing(capacity: 4)
        var outline = BatchOutline(
            instance: 1, size: 4, reason: .delayExpired, start: 200, inferenceStart: 201, inferenceEnd: 208, end: 210)
        outline.isOnCaller = true
        outline.leftWaiting = 3
        ring.append(outline, by: "m_1", count: 2) { RecordedRequest(arrival: 100 + UInt64($0), items: 2, level: 1) }
        outline.isOnCaller = false
        outline.hasFailed = true
        ring.append(outline, by: "another", count: 1) { _ in RecordedRequest(arrival: 150, shape: 7) }
        let kept = ring.copy()
        #expect(kept.instances == ["", "m_1"])
        #expect(kept.count == 2)
        var first = RecordedBatch(
            number: 1, instance: 1, size: 4, reason: .delayExpired, start: 200, end: 210,
            requests: [
                RecordedRequest(arrival: 100, items: 2, level: 1), RecordedRequest(arrival: 101, items: 2, level: 1),
            ])
        first.inferenceStart = 201
        first.inferenceEnd = 208
        first.leftWaiting = 3
        var second = first
        second.number = 2
        second.hasFailed = true
        second.requests = [RecordedRequest(arrival: 150, shape: 7)]
        first.isOnCaller = true
        #expect(kept.batches == [first, second])
        #expect(kept.batches.first?.waits == [100, 99])
    }

    @Test("Nothing is there before the first batch, and nothing of its memory")
    func empty() {
        let ring = BatchRing(capacity: 4)
        #expect(ring.copy().batches.isEmpty)
        #expect(ring.copy(after: 3).batches.isEmpty)
        #expect(ring.copy().count == 0)
    }

    @Test("The oldest give way, and numbers go on")
    func oldest() {
        let ring = BatchRing(capacity: 4)
        for index in 0..<11 {
            record(ring, at: UInt64(index))
            let kept = ring.copy().batches
            #expect(kept.map(\.number) == Array(UInt64(max(1, index - 2))...UInt64(index + 1)))
            #expect(kept.map { $0.requests.first?.arrival } == kept.map { $0.number - 1 })
        }
        #expect(ring.copy(after: 9).batches.map(\.number) == [10, 11])
        #expect(ring.copy(after: 9).batches.map { $0.requests.first?.arrival } == [9, 10])
        #expect(ring.copy(after: 11).batches.isEmpty)
        #expect(ring.copy(after: 99).batches.isEmpty)
        #expect(ring.copy(after: 99).count == 11)
    }

    @Test("A copy stays as it is while more batches come")
    func copies() {
        let ring = BatchRing(capacity: 2)
        record(ring, at: 1)
        let copy = ring.copy()
        for index in 2..<9 { record(ring, at: UInt64(index)) }
        #expect(copy.batches.map { $0.requests.first?.arrival } == [1])
    }

    @Test("Requests of different batches are not mixed up where the ring of requests begins again")
    func wrapping() {
        let ring = BatchRing(capacity: 8)
        var time: UInt64 = 0
        for round in 0..<200 {
            let count = 1 + round % 11
            record(ring, count: count, at: time)
            time += 100
            for batch in ring.copy().batches {
                let begin = (batch.number - 1) * 100
                #expect(batch.requests.map(\.arrival) == (0..<batch.size).map { begin + UInt64($0) })
            }
        }
    }

    @Test("Memory is bounded by requests too: batches whose requests gave way are not shown")
    func largeBatches() {
        let ring = BatchRing(capacity: 4)
        // There is room for eight requests a batch.
        for index in 0..<4 { record(ring, count: 20, at: UInt64(index)) }
        #expect(ring.copy().batches.map(\.number) == [4])
        record(ring, count: 100)
        #expect(ring.copy().batches.map(\.requests.count) == [32])
        #expect(ring.copy().count == 5)
    }

    @Test("A batch as it is kept is one line of a processor's cache")
    func size() { #expect(MemoryLayout<BatchRing.Cell>.stride == 64) }

    @Test("Shapes are told apart")
    func shapes() {
        let keys = [ShapeKey.fixed, ShapeKey([2]), ShapeKey([3]), ShapeKey([2]), ShapeKey([2, 3]), ShapeKey([3, 2])]
        let numbers = keys.map { RecordedRequest.number(of: $0) }
        #expect(numbers.first == 0)
        #expect(Set(numbers).count == 5)
        #expect(numbers[1] == numbers[3])
    }
}
