import Scheduling
import Testing

@testable import FlightRecords

@Suite("The last batches of a model")
struct FlightRecorderTests {
    private func record(
        _ recorder: FlightRecorder, count: Int = 1, at time: UInt64 = 0, instance: Int = 0, name: String = "m"
    ) {
        let batch = RecordedBatch(
            number: 0, instance: instance, size: count, reason: .instanceFree, start: time + 100, end: time + 110,
            requests: [])
        recorder.record(batch, by: name, count: count) { RecordedRequest(arrival: time + UInt64($0)) }
    }

    @Test("What is known of a batch is kept")
    func keeps() {
        let recorder = FlightRecorder(capacity: 4)
        var batch = RecordedBatch(
            number: 0, instance: 1, size: 4, reason: .instanceFree, start: 200, end: 210, requests: [])
        batch.isOnCaller = true
        batch.leftWaiting = 3
        batch.inferenceStart = 201
        batch.inferenceEnd = 208
        recorder.record(batch, by: "m_1", count: 2) { RecordedRequest(arrival: 100 + UInt64($0), items: 2, level: 1) }
        let kept = recorder.batches()
        #expect(kept.instances == ["", "m_1"])
        #expect(kept.count == 1)
        batch.number = 1
        batch.requests = [
            RecordedRequest(arrival: 100, items: 2, level: 1), RecordedRequest(arrival: 101, items: 2, level: 1),
        ]
        #expect(kept.batches == [batch])
        #expect(kept.batches.first?.waits == [100, 99])
    }

    @Test("The oldest give way, and numbers go on")
    func ring() {
        let recorder = FlightRecorder(capacity: 4)
        for index in 0..<11 { record(recorder, at: UInt64(index)) }
        #expect(recorder.batches().batches.map(\.number) == [8, 9, 10, 11])
        #expect(recorder.batches().batches.map { $0.requests.first?.arrival } == [7, 8, 9, 10])
        #expect(recorder.batches(after: 9).batches.map(\.number) == [10, 11])
        #expect(recorder.batches(after: 11).batches.isEmpty)
        #expect(recorder.batches(after: 99).batches.isEmpty)
    }

    @Test("Memory is bounded by requests too: batches whose requests gave way are not shown")
    func largeBatches() {
        let recorder = FlightRecorder(capacity: 4)
        // There is room for eight requests a batch.
        for index in 0..<4 { record(recorder, count: 20, at: UInt64(index)) }
        #expect(recorder.batches().batches.map(\.number) == [4])
        record(recorder, count: 100)
        #expect(recorder.batches().batches.map(\.requests.count) == [32])
    }

    @Test("Shapes are told apart")
    func shapes() {
        let shapes = [ShapeKey.fixed, ShapeKey([2]), ShapeKey([3]), ShapeKey([2])].map {
            RecordedRequest.number(of: $0)
        }
        #expect(shapes.first == 0)
        #expect(Set(shapes).count == 3)
        #expect(shapes[1] == shapes[3])
    }
}
