internal import JSONText
internal import Tracing

/// Spans as the JSON of the OpenTelemetry protocol (OTLP 1.x, `ExportTraceServiceRequest`).
enum SpanDocument {
    static func text(_ spans: [FinishedSpan], resource: [(name: String, value: String)]) -> String {
        let document: JSONValue = [
            "resourceSpans": [
                [
                    "resource": [
                        "attributes": .array(resource.map { attribute($0.name, ["stringValue": .string($0.value)]) })
                    ],
                    "scopeSpans": [
                        ["scope": ["name": "halcyon"], "spans": .array(spans.map(span))]
                    ],
                ]
            ]
        ]
        return document.compact
    }

    private static func span(_ span: FinishedSpan) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("traceId", .string(span.identity.traceText)), .init("spanId", .string(span.identity.spanText)),
        ]
        if let state = span.identity.state { members.append(.init("traceState", .string(state))) }
        if let parent = span.parent { members.append(.init("parentSpanId", .string(parent.spanText))) }
        members += [
            .init("name", .string(span.name)), .init("kind", .integer(kind(span.kind))),
            // 64-bit numbers are texts in the JSON form of protobuf.
            .init("startTimeUnixNano", .string(String(span.start))),
            .init("endTimeUnixNano", .string(String(span.end))),
            .init("attributes", attributes(span.attributes)),
            .init("events", .array(span.events.map(event))),
        ]
        if !span.links.isEmpty {
            members.append(
                .init(
                    "links",
                    .array(span.links.map { ["traceId": .string($0.traceText), "spanId": .string($0.spanText)] }))
            )
        }
        if let status = span.status { members.append(.init("status", self.status(status))) }
        return .object(members)
    }

    private static func event(_ event: SpanEvent) -> JSONValue {
        [
            "timeUnixNano": .string(String(event.nanosecondsSinceEpoch)), "name": .string(event.name),
            "attributes": attributes(event.attributes),
        ]
    }

    private static func status(_ status: SpanStatus) -> JSONValue {
        var members: [JSONValue.Member] = [.init("code", .integer(status.code == .error ? 2 : 1))]
        if let message = status.message { members.append(.init("message", .string(message))) }
        return .object(members)
    }

    private static func kind(_ kind: SpanKind) -> Int64 {
        switch kind {
        case .internal: 1
        case .server: 2
        case .client: 3
        case .producer: 4
        case .consumer: 5
        }
    }

    private static func attributes(_ attributes: SpanAttributes) -> JSONValue {
        var all: [JSONValue] = []
        attributes.forEach { name, value in
            switch value {
            case .string(let text): all.append(attribute(name, ["stringValue": .string(text)]))
            case .bool(let flag): all.append(attribute(name, ["boolValue": .bool(flag)]))
            case .int32(let number): all.append(attribute(name, ["intValue": .string(String(number))]))
            case .int64(let number): all.append(attribute(name, ["intValue": .string(String(number))]))
            case .double(let number): all.append(attribute(name, ["doubleValue": .number(number)]))
            default: all.append(attribute(name, ["stringValue": .string("\(value)")]))
            }
        }
        return .array(all)
    }

    private static func attribute(_ name: String, _ value: JSONValue) -> JSONValue {
        ["key": .string(name), "value": value]
    }
}
