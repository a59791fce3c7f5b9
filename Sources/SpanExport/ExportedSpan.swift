internal import Threads
package import Tracing

/// A span that is handed to the exporter when it ends.
package final class ExportedSpan: Span {
    private struct State {
        var name: String
        var attributes: SpanAttributes = [:]
        var events: [SpanEvent] = []
        var links: [SpanLink] = []
        var status: SpanStatus?
        var hasEnded = false
    }

    package let context: ServiceContext
    private let kind: SpanKind
    private let identity: SpanIdentity
    private let parent: SpanIdentity?
    private let start: UInt64
    private let state: Locked<State>
    private let exporter: SpanExporter

    init(name: String, kind: SpanKind, start: UInt64, context: ServiceContext, exporter: SpanExporter) {
        parent = context[SpanIdentityKey.self]
        let identity = parent?.child ?? .random()
        self.identity = identity
        var own = context
        own[SpanIdentityKey.self] = identity
        self.context = own
        self.kind = kind
        self.start = start
        self.exporter = exporter
        state = Locked(State(name: name))
    }

    package var operationName: String {
        get { state.withLock { $0.name } }
        set { state.withLock { $0.name = newValue } }
    }

    package var attributes: SpanAttributes {
        get { state.withLock { $0.attributes } }
        set { state.withLock { $0.attributes = newValue } }
    }

    package var isRecording: Bool { state.withLock { !$0.hasEnded } }

    package func setStatus(_ status: SpanStatus) { state.withLock { $0.status = status } }

    package func addEvent(_ event: SpanEvent) { state.withLock { $0.events.append(event) } }

    package func addLink(_ link: SpanLink) { state.withLock { $0.links.append(link) } }

    package func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        var attributes = attributes
        attributes["exception.message"] = "\(error)"
        addEvent(SpanEvent(name: "exception", at: instant(), attributes: attributes))
    }

    package func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        let end = instant().nanosecondsSinceEpoch
        let finished = state.withLock { state -> FinishedSpan? in
            guard !state.hasEnded else { return nil }
            state.hasEnded = true
            return FinishedSpan(
                name: state.name, kind: kind, identity: identity, parent: parent, start: start, end: end,
                attributes: state.attributes, events: state.events,
                links: state.links.compactMap { $0.context[SpanIdentityKey.self] }, status: state.status)
        }
        if let finished { exporter.take(finished) }
    }
}

/// A span that is over.
struct FinishedSpan: Sendable {
    var name: String
    var kind: SpanKind
    var identity: SpanIdentity
    var parent: SpanIdentity?
    /// Nanoseconds since 1970.
    var start: UInt64
    var end: UInt64
    var attributes: SpanAttributes
    var events: [SpanEvent]
    var links: [SpanIdentity]
    var status: SpanStatus?
}
