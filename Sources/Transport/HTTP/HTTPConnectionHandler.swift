internal import NIOCore
internal import NIOHTTP1
internal import Tensors

/// One HTTP/1 connection: tells ``HTTPConnection`` what happens, and does what that says. Everything here happens on
/// the connection's event loop.
final class HTTPConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let responder: any HTTPResponder
    private let options: HTTPConnectionOptions
    private let budget: ByteBudget
    private var parser = HTTPRequestParser()
    private var connection: HTTPConnection
    private var collector: BodyCollector?
    /// Of the request that is being answered.
    private var reply: HTTPReply?
    private var requestHeaders = HTTPHeaders()
    /// The protocol of an answer that comes in pieces.
    private var streamVersion = HTTPVersion.http1_1
    private var isTakingPipelined = false
    /// Whether bytes are being taken in: what is written meanwhile goes out together.
    private var isReading = false
    private var hasUnflushed = false
    private var timer = LazyTimer()
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
        timer.cancel()
        collector = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        parser.take(unwrapInboundIn(data))
        let now = context.eventLoop.now
        do {
            while let part = try parser.next() { perform(connection.received(part, at: now)) }
        } catch {
            perform(connection.parsingFailed(error, at: now))
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        flush(context)
        context.fireChannelReadComplete()
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
        case ChannelEvent.inputClosed:
            if !parser.isBetweenRequests {
                perform(connection.parsingFailed(HTTPHeadReader.unfinished, at: context.eventLoop.now))
            }
            perform(connection.inputClosed())
        case is DrainEvent:
            connection.drain(at: context.eventLoop.now)
            setTimer(context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

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
        write(HTTPAnswerBytes(context.channel.allocator).piece(bytes, streamVersion), context, whenSent)
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
        case .sendContinue(let version): write(HTTPAnswerBytes.goOn(version), context)
        case .write(let delivery): if let answer { write(answer, delivery, context) }
        case .writeEnd: write(HTTPAnswerBytes.end(streamVersion), context)
        case .refuse(let error):
            collector = nil
            let delivery = HTTPConnection.Delivery(version: .http1_1, isHead: false, keepsAlive: false)
            writeWhole(responder.answer(for: error), delivery, context)
            flush(context)
            context.channel.close(mode: .output, promise: nil)
        case .cancel: reply?.cancel()
        case .read: context.read()
        case .closeWhenFlushed:
            context.closeWhenFlushed(patience: .seconds(options.writeTimeout))
        case .close: context.close(promise: nil)
        }
    }

    private func takePipelined(_ context: ChannelHandlerContext) {
        // An answer that comes while the request is handed in ends up here again: the loop outside goes on.
        guard !isTakingPipelined, connection.hasNext else { return }
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
        let expected = isCompressed ? nil : length
        collector = BodyCollector(
            expected: expected, alignedOffset: max(0, json ?? 0), limit: limit.byteCount, limitName: limit.name,
            budget: budget, memory: BodyCollector.isWorthMemory(expected) ? responder.bodyMemory(for: head) : nil)
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

    // MARK: Writing

    private func write(_ answer: HTTPAnswer, _ delivery: HTTPConnection.Delivery, _ context: ChannelHandlerContext) {
        guard !connection.isStreaming(reply?.number ?? 0) else {
            streamVersion = delivery.version
            return write(HTTPAnswerBytes(context.channel.allocator).head(answer, delivery), context)
        }
        guard answer.byteCount <= HTTPAnswerBytes.maximumSize else {
            return writeWhole(responder.answer(for: HTTPAnswerBytes.tooLarge(answer)), delivery, context)
        }
        writeWhole(ContentCoding.encode(answer, for: requestHeaders), delivery, context)
    }

    private func writeWhole(
        _ answer: HTTPAnswer, _ delivery: HTTPConnection.Delivery, _ context: ChannelHandlerContext
    ) {
        let (bytes, body) = HTTPAnswerBytes(context.channel.allocator).whole(answer, delivery)
        guard let body else { return write(bytes, context, answer.whenSent) }
        context.write(wrapOutboundOut(bytes), promise: nil)
        write(body, context, answer.whenSent)
    }

    private func write(
        _ bytes: ByteBuffer, _ context: ChannelHandlerContext, _ whenSent: (@Sendable () -> Void)? = nil
    ) {
        if let whenSent {
            context.write(wrapOutboundOut(bytes)).whenComplete { _ in whenSent() }
        } else {
            context.write(wrapOutboundOut(bytes), promise: nil)
        }
        hasUnflushed = true
        if !isReading { flush(context) }
    }

    private func flush(_ context: ChannelHandlerContext) {
        guard hasUnflushed else { return }
        hasUnflushed = false
        context.flush()
    }

    // MARK: Time

    private func setTimer(_ context: ChannelHandlerContext) {
        timer.arm(at: connection.nextDeadline, on: context.eventLoop, of: self) { $0.timeReached() }
    }

    private func timeReached() {
        guard let context else { return }
        timer.wentOff()
        perform(connection.timeReached(context.eventLoop.now, buffered: context.bufferedByteCount))
    }
}
