internal import Tracing

/// Which span of which trace; what the header `traceparent` of the W3C's *Trace Context* says.
package struct SpanIdentity: Hashable, Sendable {
    /// 128 bits, not all zero.
    package var trace: [UInt64]
    /// Not zero.
    package var span: UInt64
    /// The header `tracestate`, handed on as it came.
    package var state: String?

    package init(trace: [UInt64], span: UInt64, state: String? = nil) {
        self.trace = trace
        self.span = span
        self.state = state
    }

    /// A span of a trace of its own.
    static func random() -> SpanIdentity {
        SpanIdentity(
            trace: [.random(in: 1 ... .max), .random(in: 0 ... .max)], span: .random(in: 1 ... .max))
    }

    var child: SpanIdentity { SpanIdentity(trace: trace, span: .random(in: 1 ... .max), state: state) }

    /// Reads the header: `00-`, 32 digits for the trace, 16 for the span, two for flags. `nil` for what is not well
    /// formed, and for a span that its own service does not record.
    package init?(header: String, state: String?) {
        let parts = header.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].utf8.count == 2, parts[0] != "ff", Self.number(parts[0]) != nil,
            parts[0] != "00" || parts.count == 4,
            parts[1].utf8.count == 32, let high = Self.number(parts[1].prefix(16)),
            let low = Self.number(parts[1].suffix(16)), (high, low) != (0, 0),
            parts[2].utf8.count == 16, let span = Self.number(parts[2]), span != 0,
            parts[3].utf8.count == 2, let flags = Self.number(parts[3]), flags & 1 == 1
        else { return nil }
        self.init(trace: [high, low], span: span, state: state)
    }

    package var header: String { "00-\(traceText)-\(spanText)-01" }

    var traceText: String { trace.map(Self.text).joined() }
    var spanText: String { Self.text(span) }

    /// Lower case hexadecimal digits only, as the specification has it.
    private static func number(_ text: Substring) -> UInt64? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else { return nil }
        return UInt64(text, radix: 16)
    }

    private static func text(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// Where a span stands in a context.
enum SpanIdentityKey: ServiceContextKey {
    typealias Value = SpanIdentity
}
