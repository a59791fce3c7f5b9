import JSONText
import Tensors
import Testing

@testable import KServeProtocol

@Suite struct TraceSettingsTests {
    @Test func readsAChange() throws {
        let change = try TraceChange([
            "trace_level": ["TIMESTAMPS", "TENSORS"], "trace_rate": ["5"], "trace_count": [], "log_frequency": ["10"],
        ])
        #expect(change.levels == .set([.timestamps, .tensors]))
        #expect(change.rate == .set(5))
        #expect(change.count == .cleared)
        #expect(change.logFrequency == .set(10))
        #expect(try TraceChange(["trace_level": ["OFF"]]).levels == .set([]))
    }

    @Test(arguments: [
        (["trace_file": ["x"]], "trace file location can not be updated through network protocol"),
        (["trace_rate": ["many"]], "Unable to parse 'trace_rate', got: many"),
        (
            ["trace_rate": ["4294967296"]],
            "Unable to parse 'trace_rate', value is out of range [ 0, 4294967295 ], got: 4294967296"
        ),
        (["trace_count": ["1", "2"]], "expect only 1 value for 'trace_count'"),
        (["trace_level": ["OFF", "TENSORS"]], "Expect only one trace level 'OFF' is specified"),
        (["trace_level": ["MAX"]], "'MAX' is no trace level, which are OFF, TIMESTAMPS and TENSORS"),
        (["trace_speed": ["1"]], "there is no trace setting 'trace_speed'"),
    ])
    func refuses(values: [String: [String]], message: String) {
        do {
            _ = try TraceChange(values)
            Issue.record("it was taken")
        } catch { #expect(error.message == message) }
    }

    @Test func showsWhatTheReferenceShows() {
        var settings = TraceSettings()
        settings.file = "trace.json"
        let json = """
            {"trace_level":["OFF"],"trace_rate":"1000","trace_count":"-1","log_frequency":"0",\
            "trace_file":"trace.json","trace_mode":"triton"}
            """
        #expect(settings.json.compact == json)
    }
}
