internal import JSONText
internal import KServeProtocol
internal import NIOCore
internal import NIOHTTP1
internal import Page
internal import Synchronization
internal import Tensors
internal import Threads
internal import Transport

/// The page's figures as server-sent events, one after the other until the client goes or the server is stopped.
final class LiveEvents: Sendable {
    /// Milliseconds between two events. The longest is short enough for a server that stops not to wait for it.
    private static let intervals: ClosedRange<UInt64> = 100...2000
    /// Streams that are open at once; each takes a connection, and work at every event.
    private static let limit = 32
    private static let open = Atomic<Int>(0)

    private let reply: HTTPReply
    private let service: InferenceService
    private let eventLoop: any EventLoop
    private let interval: TimeAmount
    private struct State {
        var watched: LiveFigures.Watched?
        var hasEnded = false
    }
    private let state: Locked<State>

    /// - Throws: `invalidArgument` for an interval that is none, `notFound` or `unavailable` for a model that is not
    /// served,
    ///   `unavailable` where too many streams are open.
    static func start(
        _ request: HTTPRequest, _ target: HTTPRoute.Target?, _ service: InferenceService, _ reply: HTTPReply
    ) throws(HalcyonError) {
        let milliseconds = try QueryParameters(request.uri).number("interval") ?? 1000
        guard intervals.contains(milliseconds) else {
            throw HalcyonError(
                .invalidArgument,
                "'interval' is a number of milliseconds from \(intervals.lowerBound) to \(intervals.upperBound), got "
                    + "\(milliseconds)")
        }
        var watched = target.map { LiveFigures.Watched(model: $0.model, version: $0.version) }
        let first = try LiveFigures(service.server).document(&watched)
        guard open.wrappingAdd(1, ordering: .relaxed).newValue <= limit else {
            open.wrappingSubtract(1, ordering: .relaxed)
            throw HalcyonError(.unavailable, "\(limit) pages are open already: close one")
        }
        let events = LiveEvents(
            reply, service, request.eventLoop, interval: .milliseconds(Int64(milliseconds)), watched: watched)
        var head = HTTPAnswer(status: .ok, contentType: "text/event-stream; charset=utf-8")
        head.headers = [("Cache-Control", "no-store"), ("X-Accel-Buffering", "no")]
        reply.start(head)
        reply.onCancel { events.end() }
        events.write(first)
    }

    private init(
        _ reply: HTTPReply, _ service: InferenceService, _ eventLoop: any EventLoop, interval: TimeAmount,
        watched: LiveFigures.Watched?
    ) {
        self.reply = reply
        self.service = service
        self.eventLoop = eventLoop
        self.interval = interval
        state = Locked(State(watched: watched))
    }

    private func write(_ document: JSONValue) {
        guard !state.withLock({ $0.hasEnded }) else { return }
        // The next is made when this one is gone: a client that does not read gets no more.
        reply.write(Array("data: \(document.compact)\n\n".utf8)) { [self] in
            eventLoop.scheduleTask(in: interval) { [self] in service.pool.run(0) { [self] in next() } }
        }
    }

    private func next() {
        guard !state.withLock({ $0.hasEnded }) else { return }
        guard !service.isBeingStopped else { return finish() }
        do {
            let document = try state.withLock { state throws(HalcyonError) in
                try LiveFigures(service.server).document(&state.watched)
            }
            write(document)
        } catch {
            // The model is gone: the page asks anew, and is told why.
            finish()
        }
    }

    private func finish() {
        if end() { reply.end() }
    }

    /// - Returns: whether it had not ended yet.
    @discardableResult
    private func end() -> Bool {
        let isFirst = state.withLock { state in
            defer { state.hasEnded = true }
            return !state.hasEnded
        }
        if isFirst { Self.open.wrappingSubtract(1, ordering: .relaxed) }
        return isFirst
    }
}
