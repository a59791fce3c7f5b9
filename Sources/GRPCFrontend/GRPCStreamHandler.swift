internal import KServeProtocol
internal import ModelRuntime
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import Tensors
internal import Threads
internal import Transport

/// One call, a stream of an HTTP/2 connection: tells ``GRPCStream`` what happens, and does what that says. Everything
/// here happens on the connection's event loop.
final class GRPCStreamHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let service: GRPCService
    private let options: GRPCOptions
    private let connection: GRPCConnectionHandler
    private let turns: MessageTurns
    private var decoder: GRPCMessageDecoder
    private var stream: GRPCStream
    private var context: ChannelHandlerContext?
    private var call: GRPCCall?
    /// Of a call with many messages.
    private var inferences: GRPCInferenceStream?
    private var hasSentHeaders = false
    private var wantsRead = false
    private var headers = HPACKHeaders()
    private var requestEncoding: Compression?
    private var compression: GRPCCompression?
    /// What has come and is not read yet.
    private var inbound = CircularBuffer<ByteBuffer>(initialCapacity: 2)
    /// Whether the client's end has come behind it.
    private var hasEnded = false
    /// Whether others read a long message at the moment; those behind it wait.
    private var isReading = false
    private var isWaitingForTurn = false
    private var outbound = GRPCOutbound()
    private var isWriting = false
    /// What goes out behind the last message.
    private var trailers: HPACKHeaders?
    private var watch: WriteWatch
    private var timer = LazyTimer()
    private let budget: ByteBudget

    init(
        service: GRPCService, options: GRPCOptions, budget: ByteBudget, connection: GRPCConnectionHandler,
        turns: MessageTurns
    ) {
        self.turns = turns
        self.connection = connection
        self.budget = budget
        self.service = service
        self.options = options
        stream = GRPCStream(options)
        watch = WriteWatch(patience: options.writeTimeout)
        decoder = GRPCMessageDecoder(limit: options.maximumMessageSize, budget: budget)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    /// The stream is over, by whichever side.
    private func end() {
        perform(stream.closed())
        timer.cancel()
        outbound.drop()
    }

    // MARK: What to do

    private func perform(_ actions: [GRPCStream.Action]) {
        guard !actions.isEmpty, let context else { return }
        // What is taken back ends the call once more, in vain.
        let call = call
        if stream.isFinished { letGo() }
        for action in actions {
            switch action {
            case .begin(let method): begin(context, method)
            case .refuse: refuse(context)
            case .deliver: break
            case .endOfMessages: inferences?.endOfRequests()
            case .status(let status): end(with: status)
            case .cancel: call?.cancel()
            case .reset: context.close(promise: nil)
            }
        }
        setTimer(context)
    }

    /// Nothing more is expected from the client.
    private func letGo() {
        decoder.reset()
        if !inbound.isEmpty { inbound.removeAll() }
        inferences = nil
        call = nil
    }

    // MARK: Time

    private func setTimer(_ context: ChannelHandlerContext) {
        let deadline = LazyTimer.earlier(stream.nextDeadline, watch.deadline)
        timer.arm(at: deadline, on: context.eventLoop, of: self) { $0.timeReached() }
    }

    private func timeReached() {
        guard let context else { return }
        timer.wentOff()
        let now = context.eventLoop.now
        // A client that takes none of its responses must not keep them for ever.
        perform(watch.isOver(at: now) ? stream.stalled() : stream.timeReached(now))
        setTimer(context)
    }

    // MARK: Inbound

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let headers):
            take(headers.headers, context)
            if headers.endStream {
                hasEnded = true
                takeMessages()
            }
        case .data(let data):
            if stream.openMethod != nil, case .byteBuffer(let chunk) = data.data, chunk.readableBytes > 0 {
                inbound.append(chunk)
            }
            if data.endStream { hasEnded = true }
            takeMessages()
        default: break
        }
    }

    /// Nothing more is read while the client does not take the responses that it has been given, or while what has come
    /// is still to be looked at.
    func read(context: ChannelHandlerContext) {
        if mayRead(context) {
            context.read()
        } else {
            wantsRead = true
        }
    }

    private func mayRead(_ context: ChannelHandlerContext) -> Bool {
        context.channel.isWritable && outbound.isEmpty && inbound.isEmpty && !isReading
    }

    private func readOn() {
        guard wantsRead, let context, mayRead(context) else { return }
        wantsRead = false
        context.read()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { writeOn() }
        readOn()
        context.fireChannelWritabilityChanged()
    }

    private func take(_ headers: HPACKHeaders, _ context: ChannelHandlerContext) {
        let head = Result { () throws(GRPCRequestHead.Refusal) in
            try GRPCRequestHead(headers, access: service.access)
        }
        if stream.isNew {
            self.headers = headers
            requestEncoding = try? head.get().encoding
            compression = GRPCCompression(
                headers.first(name: "grpc-accept-encoding"), level: options.compressionLevel)
        }
        perform(stream.headers(head, at: context.eventLoop.now))
    }

    private func begin(_ context: ChannelHandlerContext, _ method: GRPCMethod) {
        let call = GRPCCall(
            self, method: method, headers: headers, eventLoop: context.eventLoop, compression: compression)
        self.call = call
        if method.isClientStreaming, method != .reflection {
            inferences = GRPCInferenceStream(service: service, call: call, options: options)
        }
    }

    /// What is not gRPC gets HTTP's own answer.
    private func refuse(_ context: ChannelHandlerContext) {
        let headers = HPACKHeaders([(":status", "415"), ("accept-post", "application/grpc")])
        context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: headers, endStream: true))), promise: nil)
    }

    // MARK: Messages

    /// Bytes of a message that are looked at on the event loop: its tensors stay where they are.
    private static let shortMessage = 256 << 10

    /// Takes what has come, or waits for its turn where others do. A call with one message has no need to.
    func takeMessages() {
        guard !isWaitingForTurn else { return }
        if turns.isBusy, inferences != nil, !inbound.isEmpty { waitForTurn() } else { takeTurn() }
    }

    private func waitForTurn() {
        isWaitingForTurn = true
        turns.wait(self)
    }

    /// Takes a few messages, and none while a stream has too many requests under way.
    func takeTurn() {
        isWaitingForTurn = false
        var left = MessageTurns.messagesPerTurn
        do {
            while stream.openMethod != nil, !isReading, let chunk = inbound.first {
                guard inferences?.isFull != true else { return }
                guard left > 0 else { return waitForTurn() }
                left -= 1
                var rest = chunk
                let message = try decoder.next(&rest)
                if rest.readableBytes > 0 {
                    inbound[inbound.startIndex] = rest
                } else {
                    inbound.removeFirst()
                }
                if let message { try take(message) }
            }
        } catch {
            return perform(stream.fail(error))
        }
        if let context {
            stream.received(isPartial: !decoder.isBetweenMessages, at: context.eventLoop.now)
            setTimer(context)
        }
        if hasEnded, inbound.isEmpty, !isReading { perform(stream.ended(isPartial: !decoder.isBetweenMessages)) }
        readOn()
    }

    private func take(_ message: GRPCMessageDecoder.Message) throws(GRPCStatus) {
        let actions = stream.message()
        guard case .deliver(let method)? = actions.first else { return perform(actions) }
        try hand(message, method)
    }

    /// Hands on a message; by way of others where reading it takes long. The order of messages stays as it is.
    private func hand(_ message: GRPCMessageDecoder.Message, _ method: GRPCMethod) throws(GRPCStatus) {
        guard let call else { return }
        let limit = method.messageLimit(most: options.maximumMessageSize)
        guard message.bytes.byteCount <= limit else {
            throw GRPCStatus(
                .resourceExhausted,
                "a message to this method may have at most \(limit) bytes, got \(message.bytes.byteCount)")
        }
        let reading = GRPCReading(message: message, encoding: requestEncoding, limit: limit, budget: budget)
        let isLong =
            message.isCompressed
            || message.bytes.byteCount > (method.isInference ? Self.shortMessage : WorkPool.immediate)
        guard isLong, let context else {
            return Self.deliver(try reading.plain(), method, call, service, inferences)
        }
        isReading = true
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        service.service.pool.run(message.bytes.byteCount) { [service, inferences] in
            var failure: GRPCStatus?
            do throws(GRPCStatus) {
                Self.deliver(try reading.plain(), method, call, service, inferences)
            } catch {
                failure = error
            }
            eventLoop.execute { [failure] in handler.value.hasRead(failure) }
        }
    }

    private func hasRead(_ failure: GRPCStatus?) {
        isReading = false
        if let failure { return perform(stream.fail(failure)) }
        takeMessages()
    }

    private static func deliver(
        _ message: TensorBuffer, _ method: GRPCMethod, _ call: GRPCCall, _ service: GRPCService,
        _ inferences: GRPCInferenceStream?
    ) {
        if let inferences { return inferences.receive(message) }
        service.receive(message, of: method, call: call)
    }

    // MARK: Outbound

    func answer(_ frame: GRPCFrame, whenSent: (@Sendable () -> Void)? = nil) {
        queue(frame, whenSent)
        finish(.ok)
        if let context { setTimer(context) }
    }

    func send(_ frame: GRPCFrame, whenSent: (@Sendable () -> Void)? = nil) {
        queue(frame, whenSent)
        writeOn()
        if let context { setTimer(context) }
    }

    /// Writes messages together, and ends the call where that is said.
    func take(_ orders: [GRPCCall.Order]) {
        for order in orders {
            switch order {
            case .send(let frame, let whenSent): queue(frame, whenSent)
            case .finish(let status):
                writeOn()
                finish(status)
            }
        }
        writeOn()
        if let context { setTimer(context) }
    }

    private func queue(_ frame: GRPCFrame, _ whenSent: (@Sendable () -> Void)?) {
        guard let context, !stream.isFinished else {
            whenSent?()
            return
        }
        sendHeaders(context)
        // A short message is gone at once, or waits behind others.
        let isWatched = frame.byteCount > ByteBudget.uncounted || !outbound.isEmpty
        if isWatched { watch.gave(frame.parts.byteCount, at: context.eventLoop.now) }
        outbound.add(frame, isWatched: isWatched, whenSent: whenSent)
    }

    /// Writes as much as there is room for, and the trailers behind all of it.
    private func writeOn() {
        // Writing may make room at once, and that leads here again.
        guard !isWriting, let context else { return }
        isWriting = true
        writeOn(context)
        isWriting = false
        readOn()
    }

    private func writeOn(_ context: ChannelHandlerContext) {
        var isFlushed = true
        while context.channel.isWritable, let piece = outbound.next(context.channel.allocator) {
            writePiece(piece, context)
            isFlushed = false
            if !context.channel.isWritable {
                context.flush()
                isFlushed = true
            }
        }
        if outbound.isEmpty, let trailers {
            self.trailers = nil
            context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: trailers, endStream: true))), promise: nil)
        } else if !isFlushed {
            context.flush()
        }
    }

    private func writePiece(_ piece: GRPCOutbound.Piece, _ context: ChannelHandlerContext) {
        // Clients measure their path with pings while they get data.
        connection.sentData()
        let payload = wrapOutboundOut(.data(.init(data: .byteBuffer(piece.bytes))))
        guard piece.isWatched || piece.whenSent != nil else { return context.write(payload, promise: nil) }
        let (count, whenSent) = (piece.isWatched ? piece.bytes.readableBytes : 0, piece.whenSent)
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        context.write(payload).whenComplete { _ in
            if count > 0 {
                handler.value.watch.took(count, at: eventLoop.now)
                handler.value.connection.sentData()
            }
            whenSent?()
        }
    }

    private static let plainHeaders = HPACKHeaders([(":status", "200"), ("content-type", "application/grpc")])

    private static let goodEnd = HPACKHeaders([("grpc-status", "0")])

    private func sendHeaders(_ context: ChannelHandlerContext) {
        guard !hasSentHeaders else { return }
        hasSentHeaders = true
        var headers = Self.plainHeaders
        if let compression { headers.add(name: "grpc-encoding", value: compression.encoding.rawValue) }
        context.write(wrapOutboundOut(.headers(.init(headers: headers))), promise: nil)
    }

    /// Ends the call.
    func finish(_ status: GRPCStatus) { perform(stream.finish(status)) }

    /// What the client still sends is read over; a reset here could overtake the status at its side.
    private func end(with status: GRPCStatus) {
        if hasSentHeaders, status == .ok {
            trailers = Self.goodEnd
            return writeOn()
        }
        var trailers = hasSentHeaders ? HPACKHeaders() : Self.plainHeaders
        trailers.add(name: "grpc-status", value: String(status.code.rawValue))
        // What a client may choose stays out of the table that both sides keep of headers, so that that doesn't grow.
        if !status.message.isEmpty {
            trailers.add(name: "grpc-message", value: status.encodedMessage, indexing: .nonIndexable)
        }
        if status.code == .unavailable { trailers.add(name: "retry-after", value: "\(status.retryAfterSeconds)") }
        // What the client has not taken yet comes before a good end, and is of no use before a bad one.
        if status.code != .ok { outbound.drop() }
        self.trailers = trailers
        writeOn()
    }
}
