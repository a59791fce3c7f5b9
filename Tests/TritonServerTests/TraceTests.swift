import CTriton
import HalcyonTestKit
import Tensors
import Testing

@Suite("Traces of the C interface")
struct TraceTests {
    private static let told: TRITONSERVER_InferenceTraceActivityFn_t = { _, activity, time, userp in
        guard activity == TRITONSERVER_TRACE_CUSTOM_ACTIVITY else { return }
        Seen.at(userp)?.change { $0.events.append("custom \(time)") }
    }
    private static let released: TRITONSERVER_InferenceTraceReleaseFn_t = { trace, userp in
        var (model, id): (UnsafePointer<CChar>?, UnsafePointer<CChar>?)
        var version: Int64 = 0
        _ = failure(TRITONSERVER_InferenceTraceModelName(trace, &model))
        _ = failure(TRITONSERVER_InferenceTraceRequestId(trace, &id))
        _ = failure(TRITONSERVER_InferenceTraceModelVersion(trace, &version))
        let text = [model, id].map { $0.map { String(cString: $0) } ?? "" }.joined(separator: " ")
        let deleted = failure(TRITONSERVER_InferenceTraceDelete(trace)) == nil
        let twice = failure(TRITONSERVER_InferenceTraceDelete(trace)) == nil
        Seen.at(userp)?.change { $0.events.append("released \(text) \(version) \(deleted) \(twice)") }
    }

    private func make(_ seen: Seen, level: UInt32 = 4, parent: UInt64 = 0) throws -> OpaquePointer {
        try made {
            TRITONSERVER_InferenceTraceNew(
                $0, TRITONSERVER_InferenceTraceLevel(rawValue: level), parent, Self.told, Self.released, seen.pointer)
        }
    }

    private func context(of trace: OpaquePointer) throws -> String {
        var text: UnsafePointer<CChar>?
        try check(TRITONSERVER_InferenceTraceContext(trace, &text))
        return text.map { String(cString: $0) } ?? "none"
    }

    @Test("A trace has a number, a parent, children and a context, to which a caller's own activities are added")
    func properties() throws {
        let seen = Seen()
        let trace = try make(seen, parent: 77)
        let child = try made { TRITONSERVER_InferenceTraceSpawnChildTrace(trace, $0) }
        var (id, parent, childParent): (UInt64, UInt64, UInt64) = (0, 0, 0)
        try check(TRITONSERVER_InferenceTraceId(trace, &id))
        try check(TRITONSERVER_InferenceTraceParentId(trace, &parent))
        try check(TRITONSERVER_InferenceTraceParentId(child, &childParent))
        #expect(id > 0 && parent == 77 && childParent == id)
        #expect(try context(of: trace) == "")
        try check(TRITONSERVER_InferenceTraceSetContext(trace, "{\"a\":\"b\"}"))
        #expect(try context(of: trace) == "{\"a\":\"b\"}")
        try check(TRITONSERVER_InferenceTraceReportActivity(trace, 5, "tokens"))
        try check(TRITONSERVER_InferenceTraceReportActivity(trace, 6, "more"))
        #expect(try context(of: trace) == "{\"a\":\"b\",\"5\":\"tokens\",\"6\":\"more\"}")
        #expect(seen.value.events == ["custom 5", "custom 6"])
        try check(TRITONSERVER_InferenceTraceDelete(child))
        try check(TRITONSERVER_InferenceTraceDelete(trace))
        #expect(failure(TRITONSERVER_InferenceTraceReportActivity(trace, 5, "tokens"))?.code == .invalidArgument)
        let level = TRITONSERVER_InferenceTraceLevel(rawValue: 16)
        let wrong = failure(made: {
            TRITONSERVER_InferenceTraceNew($0, level, 0, Self.told, Self.released, seen.pointer)
        })
        #expect(wrong?.message.contains("trace level 16") == true)
    }

    @Test("A caller's own activities take as much memory and time as there are of them", .timeLimit(.minutes(1)))
    func manyActivities() throws {
        let seen = Seen()
        let trace = try make(seen, level: 0)
        for time in 0..<UInt64(50_000) {
            try check(TRITONSERVER_InferenceTraceReportActivity(trace, time, "token"))
        }
        let members = (0..<50_000).map { "\"\($0)\":\"token\"" }.joined(separator: ",")
        #expect(try context(of: trace) == "{\(members)}")
        try check(TRITONSERVER_InferenceTraceDelete(trace))
    }

    @Test("A trace of a refused request goes back too, with what is known of it")
    func refused() throws {
        let fixture = try Fixture()
        let call = try Call(fixture)
        try check(TRITONSERVER_InferenceRequestSetId(call.request, "mine"))
        try call.add([1])
        try call.infer(on: fixture, trace: try make(call.seen))
        let seen = call.seen.wait { $0.releases == 1 && $0.events.contains("released echo mine 1 true false") }
        #expect(seen.responses.count == 1)
        let other = try Call(fixture)
        try other.add([1], to: "OTHER")
        let error = failure(
            TRITONSERVER_ServerInferAsync(fixture.server, other.request, try make(other.seen)))
        #expect(error?.code == .invalidArgument)
        other.seen.wait { state in state.events.contains { $0.hasPrefix("released") } }
        // One that was handed in is the server's.
        let gone = try make(other.seen)
        try check(TRITONSERVER_InferenceTraceDelete(gone))
        #expect(
            failure(TRITONSERVER_ServerInferAsync(fixture.server, other.request, gone))?.message.contains("given up")
                == true)
    }
}
