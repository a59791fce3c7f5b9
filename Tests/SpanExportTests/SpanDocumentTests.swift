import JSONText
import Testing
import Tracing

@testable import SpanExport

@Suite struct SpanDocumentTests {
    @Test func writesWhatTheProtocolHas() throws {
        var attributes: SpanAttributes = [:]
        attributes["model"] = "m"
        attributes["version"] = Int64(3)
        let parent = SpanIdentity(trace: [1, 2], span: 4)
        let span = FinishedSpan(
            name: "compute", kind: .server, identity: SpanIdentity(trace: [1, 2], span: 0xAB), parent: parent,
            start: 1_700_000_000_000_000_001, end: 1_700_000_000_000_000_002, attributes: attributes,
            events: [SpanEvent(name: "half", at: DefaultTracerClock.Timestamp(nanosecondsSinceEpoch: 7))], links: [],
            status: SpanStatus(code: .error, message: "why"))
        let text = SpanDocument.text([span], resource: [("service.name", "halcyon")])
        let expected = """
            {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"halcyon"}}]},\
            "scopeSpans":[{"scope":{"name":"halcyon"},"spans":[{"traceId":"00000000000000010000000000000002",\
            "spanId":"00000000000000ab","parentSpanId":"0000000000000004","name":"compute","kind":2,\
            "startTimeUnixNano":"1700000000000000001","endTimeUnixNano":"1700000000000000002","attributes":[\
            {"key":"model","value":{"stringValue":"m"}},{"key":"version","value":{"intValue":"3"}}],"events":[\
            {"timeUnixNano":"7","name":"half","attributes":[]}],"status":{"code":2,"message":"why"}}]}]}]}
            """
        var actual = JSONScannerText(text)
        var wanted = JSONScannerText(expected)
        #expect(try actual.value() == wanted.value())
    }
}

/// A text as a value, with the members of objects in order of their names: attributes come in any order.
private struct JSONScannerText {
    private let text: String

    init(_ text: String) { self.text = text }

    mutating func value() throws -> JSONValue {
        var bytes = Array(text.utf8)
        return try bytes.withUnsafeMutableBytes { bytes in
            var scanner = JSONScanner(UnsafeRawBufferPointer(bytes), maximumDepth: 64)
            return Self.sorted(try scanner.value())
        }
    }

    private static func sorted(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let values): .array(values.map(sorted).sorted { $0.compact < $1.compact })
        case .object(let members): .object(members.map { .init($0.key, sorted($0.value)) })
        default: value
        }
    }
}
