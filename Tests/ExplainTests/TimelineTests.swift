import Scheduling
import Testing

@testable import Explain
@testable import FlightRecords

@Suite("Timelines")
struct TimelineTests {
    /// One request, and five that come while it runs.
    private var recording: Recording {
        let requests = [0, 10, 20, 30, 40, 50].map { Simulation.Request(arrival: $0 * 1_000_000) }
        return record(
            settings(), instances: 1, requests: requests, timing: LinearTiming(base: 50_000_000, perItem: 10_000_000))
    }

    @Test("A batch of five forms behind a batch of one")
    func lanes() {
        let text = Timeline(recording, count: 20, width: 60).text
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines[0] == "m, version 1: 1 instance; batches up to 8; delay none; the last 2 batches of 2")
        let waiting = lines.first { $0.hasPrefix("waiting") } ?? ""
        #expect(waiting.contains("5") && !waiting.contains("6"))
        let lane = lines.first { $0.hasPrefix("m_0") } ?? ""
        #expect(lane.contains("1━") && lane.contains("5━"))
        #expect(lines.allSatisfy { line in lines.firstIndex(of: line) ?? 0 > 4 || line.count <= 80 })
        #expect(text.contains("an instance was idle, and nothing else waited"))
        #expect(text.contains("they came while all instances were busy, and all that waited were taken"))
        #expect(text.contains("10.0 ms to 50.0 ms"))
    }

    @Test("Each reason has words", arguments: BatchReason.allCases)
    func reasons(reason: BatchReason) {
        var recording = recording
        recording.settings.maxQueueDelayMicroseconds = 2000
        recording.settings.latencyBudgetMicroseconds = 50000
        recording.batches = [
            RecordedBatch(
                number: 1, instance: 0, size: 2, reason: reason, start: 10, end: 20,
                requests: [RecordedRequest(arrival: 1), RecordedRequest(arrival: 2)])
        ]
        recording.batches[0].leftWaiting = 2
        recording.batches[0].hasFailed = true
        let text = Timeline(recording, count: 5, width: 100).text
        #expect(text.contains("; 2 requests went on waiting; it failed"))
        #expect(!text.contains(reason.rawValue) || !reason.rawValue.contains("_"))
    }

    @Test("Only the last are shown, and nothing says so")
    func last() {
        var recording = recording
        #expect(Timeline(recording, count: 1, width: 80).text.contains("the last batch of 2"))
        recording.batches = []
        #expect(
            Timeline(recording, count: 5, width: 80).text.hasSuffix("It has executed nothing that is still kept.\n"))
    }

    @Test("Names can't move a terminal's cursor")
    func hostileNames() {
        var recording = recording
        recording.model = "m\u{1B}[2J\u{202E}"
        recording.instances = ["\u{7}a\nb"]
        let text = Timeline(recording, count: 5, width: 80).text
        #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0.value == 0x202E })
        #expect(text.contains("\u{FFFD}a\u{FFFD}b"))
    }

    @Test("Durations have the unit that fits")
    func durations() {
        #expect(PlainText.duration(999) == "999 ns")
        #expect(PlainText.duration(1500) == "1.50 µs")
        #expect(PlainText.duration(66_190_000) == "66.2 ms")
        #expect(PlainText.duration(1_234_000_000) == "1234 ms")
        #expect(PlainText.duration(12_340_000_000) == "12.3 s")
    }
}
