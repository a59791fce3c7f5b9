import JSONText
import ModelConfigurations
import Scheduling
import Tensors
import Testing

@testable import FlightRecords

@Suite("Recordings as JSON")
struct RecordingTests {
    static let recording: Recording = {
        var configuration = ModelConfiguration(name: "m")
        configuration.maxBatchSize = 8
        configuration.dynamicBatching = DynamicBatching(
            preferredBatchSizes: [4, 8], maxQueueDelayMicroseconds: 2000, preserveOrdering: true, priorityLevels: 2,
            defaultPriorityLevel: 1)
        configuration.parameters["latency_budget_microseconds"] = "50000"
        var recording = Recording(model: "m \"é\"", version: 3)
        recording.settings = Recording.Settings(configuration)
        recording.instanceCount = 2
        recording.instances = ["m_0", ""]
        recording.now = 1000
        recording.capacity = 512
        recording.count = 7
        var batch = RecordedBatch(
            number: 7, instance: 0, size: 3, reason: .latencyBudget, start: 20, end: 90,
            requests: [RecordedRequest(arrival: 10, items: 3, level: 1, shape: 4_000_000_000)])
        batch.isOnCaller = true
        batch.hasFailed = true
        batch.leftWaiting = 5
        recording.batches = [batch]
        return recording
    }()

    @Test("What is written is read again")
    func roundTrip() throws {
        let text = Array(Self.recording.jsonValue.compact.utf8)
        #expect(try Recording(text: text) == Self.recording)
        #expect(Self.recording.settings.latencyBudgetMicroseconds == 50000)
    }

    @Test("Settings make the configuration that they came from")
    func settings() {
        let settings = Self.recording.settings
        #expect(Recording.Settings(settings.configuration(named: "m")) == settings)
    }

    @Test(
        "What is wrong is said with its place",
        arguments: [
            ("", "it is no recording"), ("[]", "the recording is to be a JSON object"),
            ("{\"model_name\": 1}", "'model_name' is to be a text"),
            (
                "{\"model_name\": \"m\", \"model_version\": \"x\"}",
                "'model_version' is to be a number as a text, got 'x'"
            ),
            ("{\"model_name\": \"m\", \"model_version\": \"1\"}", "has no 'scheduling'"),
        ])
    func damaged(text: String, complaint: String) {
        let error = #expect(throws: HalcyonError.self) { try Recording(text: Array(text.utf8)) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
    }

    @Test(
        "Batches are checked one by one",
        arguments: [
            ("\"reason\":\"latency_budget\"", "\"reason\":\"whim\"", "'reason' is to be one of"),
            ("\"end_ns\":90", "\"end_ns\":9", "'end_ns' is to be a time not before start_ns, got 9"),
            ("\"size\":3", "\"size\":-3", "'batches' 0: 'size' is to be a number from 0"),
            ("\"arrival_ns\":10", "\"arrival_ns\":1.5", "'arrival_ns' is to be a number from 0"),
        ])
    func damagedBatch(good: String, bad: String, complaint: String) {
        let text = Self.recording.jsonValue.compact.replacing(good, with: bad)
        let error = #expect(throws: HalcyonError.self) { try Recording(text: Array(text.utf8)) }
        #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
    }
}
