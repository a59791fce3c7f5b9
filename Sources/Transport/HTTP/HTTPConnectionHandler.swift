internal import NIOCore
internal import NIOHTTP1
internal import Tensors

/// One HTTP/1 connection: tells ``HTTPConnection`` what happens, and does what that says. Everything here happens on the
/// connection's event loop.
final class HTTPConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let responder: any HTTPResponder
    private let options: HTTPConnectionOptions
    private let budget: ByteBudget
    private var connection: HTTPConnection
    private var collector: BodyCollector?
    /// Of the request that is being answered.
    private var reply: HTTPReply?
    private var requestHeaders = HTTPHeaders()
    private var isTakingPipelined = false
    private var timer: Scheduled<Void>?
    /// When the timer goes off.
    private var timerDeadline = NIODeadline.distantFuture
    private var context: ChannelHandlerContext?

    init(
        responder: any HTTPResponder, options: HTTPConnectionOptions, budget: ByteBudget, eventLoop: any EventLoop
    ) {
        self.responder = responder
        self.options = options
        self.budget = budget
        connection = HTTPConnection(options, at: eventLoop.now)
    }

    // MARK: What happens

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        setTimer(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        perform(connection.closed())
        stop()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        stop()
        self.context = nil
    }

    private func stop() {
        timer?.cancel()
        timer = nil
        collector = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        perform(connection.received(unwrapInboundIn(data), at: context.eventLoop.now))
    }

    func read(context: ChannelHandlerContext) {
        if connection.readWanted() { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        connection.writabilityChanged(
            to: context.channel.isWritable, buffered: context.bufferedByteCount, at: context.eventLoop.now)
        takePipelined(context)
        setTimer(context)
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed: perform(connection.inputClosed())
        case is DrainEvent:
            connection.drain(at: context.eventLoop.now)
            setTimer(context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.close(promise: nil) }
        let answer =
            error == .headerOverflow
            ? HTTPConnectionError(.requestHeaderFieldsTooLarge, "the request's headers are over 80 KiB")
            : HTTPConnectionError(.badRequest, "this is not HTTP: \(error)")
        perform(connection.parsingFailed(answer, at: context.eventLoop.now))
    }

    // MARK: Answers

    func answer(_ answer: HTTPAnswer, to reply: HTTPReply) {
        guard let context else { return }
        perform(connection.answered(reply.number, at: context.eventLoop.now), answer: answer)
    }

    func startStream(_ answer: HTTPAnswer, of reply: HTTPReply) {
        perform(connection.streamStarted(reply.number), answer: answer)
    }

    func writeStream(_ bytes: [UInt8], of reply: HTTPReply, whenSent: (@Sendable () -> Void)?) {
        guard let context, connection.isStreaming(reply.number) else {
            whenSent?()
            return
        }
        let part = wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes))))
        guard let whenSent else { return context.writeAndFlush(part, promise: nil) }
        context.writeAndFlush(part).whenComplete { _ in whenSent() }
    }

    func endStream(of reply: HTTPReply) {
        guard let context else { return }
        perform(connection.streamEnded(reply.number, at: context.eventLoop.now))
    }

    // MARK: What to do

    private func perform(_ actions: [HTTPConnection.Action], answer: HTTPAnswer? = nil) {
        guard let context else { return }
        for action in actions { perform(action, answer, context) }
        takePipelined(context)
        setTimer(context)
    }

    private func perform(_ action: HTTPConnection.Action, _ answer: HTTPAnswer?, _ context: ChannelHandlerContext) {
        switch action {
        case .begin(let head): begin(head, context)
        case .append(let chunk): append(chunk, context)
        case .respond(let head, let number, let start): respond(head, number, start, context)
        case .sendContinue(let version):
            context.writeAndFlush(wrapOutboundOut(.head(.init(version: version, status: .continue))), promise: nil)
        case .write(let delivery): if let answer { write(answer, delivery, context) }
        case .writeEnd: context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        case .refuse(let error):
            collector = nil
            let delivery = HTTPConnection.Delivery(version: .http1_1, isHead: false, keepsAlive: false)
            HTTPAnswerWriter(context).write(responder.answer(for: error), delivery)
            context.channel.close(mode: .output, promise: nil)
        case .cancel: reply?.cancel()
        case .read: context.read()
        case .closeWhenFlushed:
            // The encoder's context is one through which bytes go.
            guard let bytes = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
            else { return context.close(promise: nil) }
            bytes.closeWhenFlushed(patience: .seconds(options.writeTimeout))
        case .close: context.close(promise: nil)
        }
    }

    private func takePipelined(_ context: ChannelHandlerContext) {
        // An answer that comes while the request is handed in ends up here again: the loop outside goes on.
        guard !isTakingPipelined else { return }
        isTakingPipelined = true
        defer { isTakingPipelined = false }
        while let actions = connection.next(at: context.eventLoop.now) {
            for action in actions { perform(action, nil, context) }
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let isCompressed = head.headers.contains(name: "content-encoding")
        let length = head.headers.first(name: "content-length").flatMap { Int($0) }
        let limit = BodyLimit(head, maximum: options.maximumBodySize, budget: budget.maximum)
        if let obstacle = limit.obstacle { return refuse(.payloadTooLarge, obstacle, context) }
        let json = head.headers.first(name: "inference-header-content-length").flatMap { Int($0) }
        collector = BodyCollector(
            expected: isCompressed ? nil : length, alignedOffset: max(0, json ?? 0), limit: limit.byteCount,
            limitName: limit.name, budget: budget)
        for action in connection.began() { perform(action, nil, context) }
    }

    private func append(_ chunk: ByteBuffer, _ context: ChannelHandlerContext) {
        do {
            try collector?.append(chunk)
        } catch {
            refuse(error.code == .unavailable ? .serviceUnavailable : .payloadTooLarge, error.message, context)
        }
    }

    private func respond(
        _ head: HTTPRequestHead, _ number: Int, _ start: NIODeadline, _ context: ChannelHandlerContext
    ) {
        guard let body = collector.take()?.finish() else { return }
        let reply = HTTPReply(self, number: number, eventLoop: context.eventLoop)
        self.reply = reply
        requestHeaders = head.headers
        responder.respond(
            to: HTTPRequest(
                method: head.method, uri: head.uri, headers: head.headers, body: body,
                coding: BodyCoding(head.headers, limit: options.maximumBodySize, budget: budget), receiveStart: start,
                eventLoop: context.eventLoop),
            reply: reply)
    }

    private func refuse(_ status: HTTPResponseStatus, _ message: String, _ context: ChannelHandlerContext) {
        let error = HTTPConnectionError(status, message)
        for action in connection.refuse(error, at: context.eventLoop.now) { perform(action, nil, context) }
    }

    private func write(_ answer: HTTPAnswer, _ delivery: HTTPConnection.Delivery, _ context: ChannelHandlerContext) {
        guard !connection.isStreaming(reply?.number ?? 0) else {
            return HTTPAnswerWriter(context).writeHead(answer, delivery)
        }
        guard answer.byteCount <= HTTPAnswerWriter.maximumSize else {
            let error = HTTPAnswerWriter.tooLarge(answer)
            return HTTPAnswerWriter(context).write(responder.answer(for: error), delivery)
        }
        HTTPAnswerWriter(context).write(ContentCoding.encode(answer, for: requestHeaders), delivery)
    }

    // MARK: Time

    /// Sees to it that the timer goes off in time; one that is early is let be.
    private func setTimer(_ context: ChannelHandlerContext) {
        guard let deadline = connection.nextDeadline, timer == nil || deadline < timerDeadline else { return }
        timer?.cancel()
        timerDeadline = deadline
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: deadline) { handler.value.timeReached() }
    }

    private func timeReached() {
        guard let context else { return }
        timer = nil
        perform(connection.timeReached(context.eventLoop.now, buffered: context.bufferedByteCount))
    }
}
