package import Logging
package import NIOCore
internal import NIOHTTP1
internal import NIOPosix
package import Tensors
internal import Threads

/// Collects spans and sends them to a collector in batches, by HTTP with a JSON body (OTLP/HTTP).
package final class SpanExporter: Sendable {
    package struct Options: Sendable {
        package var url = "http://localhost:4318/v1/traces"
        /// What the collector should know of this server.
        package var resource: [(name: String, value: String)] = [("service.name", "halcyon")]
        /// Spans that wait at most; those over it are dropped, and counted.
        package var maximumQueueSize = 2048
        /// Spans that are sent together.
        package var maximumBatchSize = 512
        /// How long spans wait for others.
        package var delay = TimeAmount.milliseconds(5000)

        package init() {}
    }

    private struct State {
        var waiting: [FinishedSpan] = []
        var dropped = 0
        var isScheduled = false
        var isSending = false
    }

    private let options: Options
    private let destination: CollectorAddress
    private let eventLoop: any EventLoop
    private let log: Logger
    private let state = Locked(State())

    /// - Throws: `invalidArgument` for an address that it can't send to.
    package init(_ options: Options, on eventLoop: any EventLoop, log: Logger) throws(HalcyonError) {
        self.options = options
        self.eventLoop = eventLoop
        self.log = log
        destination = try CollectorAddress(options.url)
    }

    func take(_ span: FinishedSpan) {
        enum Next { case nothing, schedule, send }
        let next = state.withLock { state -> Next in
            guard state.waiting.count < options.maximumQueueSize else {
                state.dropped += 1
                return .nothing
            }
            state.waiting.append(span)
            if state.waiting.count >= options.maximumBatchSize { return .send }
            if state.isScheduled { return .nothing }
            state.isScheduled = true
            return .schedule
        }
        switch next {
        case .nothing: break
        case .schedule:
            eventLoop.scheduleTask(in: options.delay) { [self] in
                state.withLock { $0.isScheduled = false }
                flush()
            }
        case .send: flush()
        }
    }

    /// Sends what waits, without waiting for more.
    package func flush() {
        eventLoop.execute { [self] in _ = sendNext() }
    }

    /// Sends all that waits.
    package func close() async {
        while await (try? eventLoop.flatSubmit { [self] in sendNext() }.get()) == true {}
    }

    /// - Returns: whether there was something to send.
    private func sendNext() -> EventLoopFuture<Bool> {
        let (batch, dropped) = state.withLock { state -> ([FinishedSpan], Int) in
            guard !state.isSending, !state.waiting.isEmpty else { return ([], 0) }
            state.isSending = true
            let batch = Array(state.waiting.prefix(options.maximumBatchSize))
            state.waiting.removeFirst(batch.count)
            defer { state.dropped = 0 }
            return (batch, state.dropped)
        }
        guard !batch.isEmpty else { return eventLoop.makeSucceededFuture(false) }
        if dropped > 0 {
            log.warning("spans dropped", metadata: ["count": "\(dropped)", "limit": "\(options.maximumQueueSize)"])
        }
        return send(SpanDocument.text(batch, resource: options.resource)).map { [self] failure in
            let hasMore = state.withLock { state in
                state.isSending = false
                return state.waiting.count >= options.maximumBatchSize
            }
            if let failure {
                log.warning(
                    "spans lost", metadata: ["count": "\(batch.count)", "url": "\(options.url)", "error": "\(failure)"])
            } else if hasMore {
                flush()
            }
            return failure == nil
        }
    }

    /// - Returns: what went wrong.
    private func send(_ text: String) -> EventLoopFuture<String?> {
        let answer = eventLoop.makePromise(of: String?.self)
        let destination = destination
        ClientBootstrap(group: eventLoop)
            .connectTimeout(.seconds(5))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(AnswerHandler(answer))
                }
            }
            .connect(host: destination.host, port: destination.port)
            .whenComplete { result in
                switch result {
                case .failure(let error): answer.succeed("\(error)")
                case .success(let channel): Self.post(text, to: destination, on: channel)
                }
            }
        return answer.futureResult
    }

    private static func post(_ text: String, to destination: CollectorAddress, on channel: any Channel) {
        let body = ByteBuffer(string: text)
        let headers: HTTPHeaders = [
            "Host": destination.authority, "Content-Type": "application/json",
            "Content-Length": String(body.readableBytes), "Connection": "close",
        ]
        let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: destination.path, headers: headers)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.write(HTTPClientRequestPart.body(.byteBuffer(body)), promise: nil)
        channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    }
}

/// Waits for the collector's answer.
private final class AnswerHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    private let answer: EventLoopPromise<String?>
    private var failure: String? = "the collector closed the connection without an answer"
    private var timeout: Scheduled<Void>?

    init(_ answer: EventLoopPromise<String?>) { self.answer = answer }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        timeout = context.eventLoop.scheduleTask(in: .seconds(10)) { channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            failure = (200..<300).contains(head.status.code) ? nil : "the collector answered \(head.status)"
        case .body: break
        case .end: context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failure = "\(error)"
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timeout?.cancel()
        answer.succeed(failure)
        context.fireChannelInactive()
    }
}
