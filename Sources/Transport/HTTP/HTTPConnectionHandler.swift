internal import DequeModule
internal import NIOCore
internal import NIOHTTP1
internal import Tensors

/// One HTTP/1 connection: gathers a request, hands it to the responder, writes the answer, and only then looks at what
/// was pipelined behind it. Everything here happens on the connection's event loop.
final class HTTPConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case idle
        case receiving(HTTPRequestHead)
        /// The responder has the request; the answer will be the reply's.
        case responding(HTTPRequestHead, HTTPReply)
        /// The request could not be taken: the rest of it is read over, and the connection closes.
        case discarding
        /// The last answer is on its way out; what comes is read over.
        case closing
        case closed
    }

    private let responder: any HTTPResponder
    private let options: HTTPConnectionOptions
    private let budget: ByteBudget
    private var state = State.idle
    private var collector: BodyCollector?
    /// What came behind the request that is being answered.
    private var pipelined: Deque<HTTPServerRequestPart> = []
    private var isTakingPipelined = false
    private var wantsRead = false
    private var inputClosed = false
    private var isDraining = false
    private var isStreaming = false
    /// The client wants to go on in another protocol, which is not spoken here, nor HTTP any more.
    private var isLeavingHTTP = false
    private var lastBufferedByteCount = 0
    private var deadline = NIODeadline.distantFuture
    private var receiveStart = NIODeadline.uptimeNanoseconds(0)
    private var timer: RepeatedTask?
    private var context: ChannelHandlerContext?

    init(responder: any HTTPResponder, options: HTTPConnectionOptions, budget: ByteBudget) {
        self.responder = responder
        self.options = options
        self.budget = budget
    }

    // MARK: The connection's life

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { startTimer(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        startTimer(context)
        context.fireChannelActive()
    }

    private func startTimer(_ context: ChannelHandlerContext) {
        guard timer == nil else { return }
        setDeadline(options.idleTimeout)
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            handler.value.checkDeadline()
        }
    }

    private func setDeadline(_ seconds: Int64, from start: NIODeadline = .now()) {
        deadline = start + .seconds(seconds)
    }

    private func checkDeadline() {
        guard let context else { return }
        if !context.channel.isWritable {
            // A client that takes its answer slowly is not one that takes none of it.
            let count = context.bufferedByteCount
            if count < lastBufferedByteCount, deadline != .distantFuture { setDeadline(options.writeTimeout) }
            lastBufferedByteCount = count
        }
        guard deadline < .now() else { return }
        switch state {
        case .receiving:
            reject(
                context,
                HTTPConnectionError(
                    .requestTimeout, "the request did not come in within http-body-timeout-secs, \(options.bodyTimeout)"
                ))
        default: context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .responding(_, let reply) = state { reply.cancel() }
        state = .closed
        timer?.cancel()
        timer = nil
        pipelined.removeAll()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        self.context = nil
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case ChannelEvent.inputClosed:
            inputClosed = true
            switch state {
            case .responding: probe(context)
            default: close(context)
            }
        case is DrainEvent:
            isDraining = true
            if case .idle = state { close(context) }
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// Closes when what is on its way out is out.
    private func close(_ context: ChannelHandlerContext) {
        state = .closing
        context.closeWhenFlushed(patience: .seconds(options.writeTimeout))
    }

    /// The client sends no more. It may still wait for its answer, or be gone: an interim response, which the former
    /// reads over, makes the latter's system report that nobody is there, and that cancels the request.
    private func probe(_ context: ChannelHandlerContext) {
        guard case .responding(let head, _) = state, head.version.isModern, !isStreaming else { return }
        context.writeAndFlush(wrapOutboundOut(.head(.init(version: head.version, status: .continue))), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError else {
            context.close(promise: nil)
            return
        }
        switch state {
        case .idle, .receiving:
            let isTooLarge = (error as? HTTPParserError) == .headerOverflow
            reject(
                context,
                isTooLarge
                    ? HTTPConnectionError(.requestHeaderFieldsTooLarge, "the request's headers are over 80 KiB")
                    : HTTPConnectionError(.badRequest, "this is not HTTP: \(error)"))
        case .responding: isDraining = true
        case .discarding, .closing: close(context)
        case .closed: context.close(promise: nil)
        }
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        // What was pipelined goes first.
        if case .responding = state {
            pipelined.append(part)
        } else if !pipelined.isEmpty || !context.channel.isWritable {
            pipelined.append(part)
        } else {
            take(context, part)
        }
    }

    func read(context: ChannelHandlerContext) {
        // Nothing more is read while an answer is due and requests wait behind it, or while the client does not take the
        // answers that it has been given.
        var isBusy = false
        if case .responding = state { isBusy = !pipelined.isEmpty }
        if isBusy || !context.channel.isWritable {
            wantsRead = true
        } else {
            context.read()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        switch state {
        case .idle, .responding:
            setDeadline(context.channel.isWritable ? options.idleTimeout : options.writeTimeout)
            if context.channel.isWritable {
                if case .responding = state { deadline = .distantFuture }
                takePipelined(context)
            }
        default: break
        }
        context.fireChannelWritabilityChanged()
    }

    private func take(_ context: ChannelHandlerContext, _ part: HTTPServerRequestPart) {
        switch (part, state) {
        case (.head(let head), .idle): begin(context, head)
        case (.body(let chunk), .receiving):
            do {
                try collector?.append(chunk)
            } catch {
                collector = nil
                reject(
                    context,
                    HTTPConnectionError(
                        error.code == .unavailable ? .serviceUnavailable : .payloadTooLarge, error.message))
            }
        case (.end, .receiving(let head)): finish(context, head)
        case (.end, .discarding): close(context)
        default: break
        }
    }

    private func begin(_ context: ChannelHandlerContext, _ head: HTTPRequestHead) {
        state = .receiving(head)
        receiveStart = .now()
        isLeavingHTTP = head.method == .CONNECT || head.headers.contains(name: "upgrade")
        setDeadline(options.bodyTimeout, from: receiveStart)
        let isCompressed = head.headers.contains(name: "content-encoding")
        let length = head.headers.first(name: "content-length").flatMap { Int($0) }
        if let length, length > options.maximumBodySize {
            reject(
                context,
                HTTPConnectionError(
                    .payloadTooLarge,
                    "the request's body of \(length) bytes is over http-max-input-size, \(options.maximumBodySize)"))
            return
        }
        let json = head.headers.first(name: "inference-header-content-length").flatMap { Int($0) }
        collector = BodyCollector(
            expected: isCompressed ? nil : length, alignedOffset: max(0, json ?? 0), limit: options.maximumBodySize,
            limitName: "http-max-input-size", budget: budget)
        if head.headers.first(name: "expect")?.lowercased() == "100-continue", head.version.isModern {
            context.writeAndFlush(wrapOutboundOut(.head(.init(version: head.version, status: .continue))), promise: nil)
        }
    }

    private func finish(_ context: ChannelHandlerContext, _ head: HTTPRequestHead) {
        guard var body = collector.take()?.finish() else { return }
        do {
            body = try ContentCoding.decode(
                body, head.headers, limit: options.maximumBodySize, budget: budget)
        } catch {
            return reject(context, error)
        }
        let reply = HTTPReply(self, eventLoop: context.eventLoop)
        state = .responding(head, reply)
        // The answer takes what the model takes.
        deadline = .distantFuture
        responder.respond(
            to: HTTPRequest(
                method: head.method, uri: head.uri, headers: head.headers, body: body, receiveStart: receiveStart,
                eventLoop: context.eventLoop),
            reply: reply)
    }

    /// Answers with an error and closes: what follows on the connection can't be told apart from the rest of this.
    private func reject(_ context: ChannelHandlerContext, _ error: HTTPConnectionError) {
        state = .discarding
        collector = nil
        setDeadline(5)
        let answer = responder.answer(for: error)
        write(context, answer, version: .http1_1, keepsAlive: false, isHead: false)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        // The client may still be sending; closing now could take the answer away from under it.
        context.channel.close(mode: .output, promise: nil)
    }

    // MARK: Answers

    func answer(_ answer: HTTPAnswer, to reply: HTTPReply) {
        guard let context, case .responding(let head, let expected) = state, expected === reply else { return }
        let keepsAlive = keepsAlive(after: head)
        let answer = answer.byteCount <= Self.maximumAnswerSize ? answer : tooLarge(answer)
        write(
            context, ContentCoding.encode(answer, for: head.headers), version: head.version, keepsAlive: keepsAlive,
            isHead: head.method == .HEAD)
        end(context, keepsAlive: keepsAlive, whenSent: answer.whenSent)
    }

    private func keepsAlive(after head: HTTPRequestHead) -> Bool {
        head.isKeepAlive && !isDraining && !inputClosed && !isLeavingHTTP
    }

    /// What a buffer of the transport can hold.
    private static let maximumAnswerSize = Int(Int32.max)

    private func tooLarge(_ answer: HTTPAnswer) -> HTTPAnswer {
        responder.answer(
            for: HTTPConnectionError(
                .internalServerError,
                "the answer of \(answer.byteCount) bytes is over \(Self.maximumAnswerSize), the most that is sent"))
    }

    private func write(
        _ context: ChannelHandlerContext, _ answer: HTTPAnswer, version: HTTPVersion, keepsAlive: Bool, isHead: Bool
    ) {
        let count = answer.byteCount
        var headers = HTTPHeaders()
        headers.reserveCapacity(answer.headers.count + 3)
        headers.add(name: "Content-Type", value: answer.contentType)
        headers.add(name: "Content-Length", value: String(count))
        for header in answer.headers { headers.add(name: header.name, value: header.value) }
        if !keepsAlive {
            headers.add(name: "Connection", value: "close")
        } else if !version.isModern {
            headers.add(name: "Connection", value: "keep-alive")
        }
        let head = HTTPResponseHead(version: version, status: answer.status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if count > 0, !isHead {
            var buffer = context.channel.allocator.buffer(capacity: count)
            buffer.writeBytes(answer.head)
            for part in answer.tail { part.withUnsafeBytes { _ = buffer.writeBytes($0) } }
            context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
        }
    }

    /// Ends the answer, and closes the connection behind it or goes on to the next request.
    private func end(
        _ context: ChannelHandlerContext, keepsAlive: Bool, whenSent: (@Sendable () -> Void)? = nil
    ) {
        guard keepsAlive else {
            state = .closing
            setDeadline(options.writeTimeout)
            let channel = context.channel
            context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in
                whenSent?()
                channel.close(promise: nil)
            }
            return
        }
        if let whenSent {
            context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in whenSent() }
        } else {
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
        state = .idle
        setDeadline(context.channel.isWritable ? options.idleTimeout : options.writeTimeout)
        takePipelined(context)
    }

    private func takePipelined(_ context: ChannelHandlerContext) {
        // An answer that comes while the request is handed in ends up here again: the loop outside goes on.
        guard !isTakingPipelined else { return }
        isTakingPipelined = true
        defer { isTakingPipelined = false }
        while context.channel.isWritable, let part = pipelined.first {
            if case .responding = state { return }
            pipelined.removeFirst()
            take(context, part)
        }
        if case .responding = state, !pipelined.isEmpty { return }
        if wantsRead, context.channel.isWritable {
            wantsRead = false
            context.read()
        }
    }

    // MARK: Answers in pieces

    func startStream(_ answer: HTTPAnswer, of reply: HTTPReply) {
        guard let context, case .responding(let head, let expected) = state, expected === reply else { return }
        isStreaming = true
        var headers = HTTPHeaders([("Content-Type", answer.contentType)])
        for header in answer.headers { headers.add(name: header.name, value: header.value) }
        if head.version.isModern { headers.add(name: "Transfer-Encoding", value: "chunked") }
        let staysOpen = head.version.isModern && keepsAlive(after: head)
        headers.add(name: "Connection", value: staysOpen ? "keep-alive" : "close")
        context.writeAndFlush(
            wrapOutboundOut(.head(.init(version: head.version, status: answer.status, headers: headers))), promise: nil)
    }

    func writeStream(_ bytes: [UInt8], of reply: HTTPReply, whenSent: (@Sendable () -> Void)?) {
        guard let context, case .responding(_, let expected) = state, expected === reply, isStreaming else {
            whenSent?()
            return
        }
        let part = wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes))))
        guard let whenSent else { return context.writeAndFlush(part, promise: nil) }
        context.writeAndFlush(part).whenComplete { _ in whenSent() }
    }

    func endStream(of reply: HTTPReply) {
        guard let context, case .responding(let head, let expected) = state, expected === reply, isStreaming else {
            return
        }
        isStreaming = false
        end(context, keepsAlive: head.version.isModern && keepsAlive(after: head))
    }
}

extension HTTPVersion {
    /// HTTP/1.1: connections stay open, answers may come in chunks, and interim responses are understood.
    fileprivate var isModern: Bool { major == 1 && minor >= 1 }
}
