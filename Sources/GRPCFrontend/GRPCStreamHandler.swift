internal import KServeProtocol
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import Tensors
internal import Transport

/// One call: a stream of an HTTP/2 connection. Everything here happens on the connection's event loop.
final class GRPCStreamHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private enum State {
        case waitingForHeaders
        /// Messages may come; the response may have begun.
        case open(GRPCMethod)
        /// The client has sent all it will.
        case halfClosed
        /// The trailers are out.
        case finished
    }

    private let service: GRPCService
    private let options: GRPCOptions
    private let pings: ConnectionPings
    private var decoder: GRPCMessageDecoder
    private var state = State.waitingForHeaders
    private var context: ChannelHandlerContext?
    private var call: GRPCCall?
    private var stream: GRPCInferenceStream?
    private var hasSentHeaders = false
    private var hasMessage = false
    private var wantsRead = false
    private var requestEncoding: Compression?
    private var responseEncoding: Compression?
    private var deadline: Scheduled<Void>?
    private var messageDeadline: Scheduled<Void>?
    private let budget: ByteBudget

    init(service: GRPCService, options: GRPCOptions, budget: ByteBudget, pings: ConnectionPings) {
        self.pings = pings
        self.budget = budget
        self.service = service
        self.options = options
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
        if case .finished = state {} else { call?.cancel() }
        letGo()
        state = .finished
        stream = nil
        call = nil
    }

    /// Nothing more is expected from the client.
    private func letGo() {
        deadline?.cancel()
        deadline = nil
        messageDeadline?.cancel()
        messageDeadline = nil
        decoder.reset()
    }

    // MARK: Inbound

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let headers):
            if case .waitingForHeaders = state { begin(context, headers.headers) }
            if headers.endStream { endOfRequest() }
        case .data(let data):
            if case .byteBuffer(let chunk) = data.data { take(chunk) }
            if data.endStream { endOfRequest() }
        default: break
        }
    }

    /// Nothing more is read while the client does not take the responses that it has been given.
    func read(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            context.read()
        } else {
            wantsRead = true
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if wantsRead, context.channel.isWritable {
            wantsRead = false
            context.read()
        }
        context.fireChannelWritabilityChanged()
    }

    private func begin(_ context: ChannelHandlerContext, _ headers: HPACKHeaders) {
        guard headers.first(name: ":method") == "POST",
            headers.first(name: "content-type")?.hasPrefix("application/grpc") == true
        else { return refuse(context) }
        let path = headers.first(name: ":path") ?? ""
        guard let method = GRPCMethod(path: path) else {
            state = .halfClosed
            return finish(GRPCStatus(.unimplemented, "there is no method '\(path)'"))
        }
        let call = GRPCCall(self, method: method, headers: headers, eventLoop: context.eventLoop)
        self.call = call
        if let group = method.group,
            let key = service.access.missingKey(for: group, header: { headers.first(name: $0) })
        {
            state = .halfClosed
            return finish(
                GRPCStatus(.unavailable, "This protocol is restricted, expecting header '\(key.header)'"))
        }
        if let encoding = headers.first(name: "grpc-encoding"), encoding != "identity" {
            guard let known = Compression(rawValue: encoding) else {
                state = .halfClosed
                return finish(GRPCStatus(.unimplemented, "grpc-encoding '\(encoding)' is not supported"))
            }
            requestEncoding = known
        }
        if options.compressionLevel > 0, let accepted = headers.first(name: "grpc-accept-encoding") {
            responseEncoding = Compression.allCases.first { accepted.contains($0.rawValue) }
        }
        if let timeout = headers.first(name: "grpc-timeout") {
            guard let duration = GRPCTimeout.nanoseconds(timeout) else {
                state = .halfClosed
                return finish(GRPCStatus(.internal, "grpc-timeout '\(timeout)' is no timeout"))
            }
            startDeadline(context, duration)
        }
        state = .open(method)
        if method.isClientStreaming, method != .reflection {
            stream = GRPCInferenceStream(service: service, call: call)
        }
    }

    /// What is not gRPC gets HTTP's own answer.
    private func refuse(_ context: ChannelHandlerContext) {
        state = .finished
        let headers = HPACKHeaders([(":status", "415"), ("accept-post", "application/grpc")])
        context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: headers, endStream: true))), promise: nil)
    }

    private func startDeadline(_ context: ChannelHandlerContext, _ timeout: Int64) {
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: .nanoseconds(timeout)) {
            let handler = handler.value
            handler.call?.cancel()
            handler.finish(GRPCStatus(.deadlineExceeded, "Deadline Exceeded"))
        }
    }

    private func take(_ chunk: ByteBuffer) {
        var chunk = chunk
        do {
            while case .open(let method) = state, let message = try decoder.next(&chunk) {
                try take(try decompressed(message), method)
            }
        } catch {
            call?.cancel()
            return finish(error)
        }
        watchMessage()
    }

    /// A message that has begun must come to its end in time: it holds memory that others could use.
    private func watchMessage() {
        guard case .open = state, !decoder.isBetweenMessages else {
            messageDeadline?.cancel()
            messageDeadline = nil
            return
        }
        guard messageDeadline == nil, let context else { return }
        let handler = NIOLoopBound(self, eventLoop: context.eventLoop)
        let seconds = options.messageTimeout
        messageDeadline = context.eventLoop.scheduleTask(in: .seconds(seconds)) {
            let handler = handler.value
            handler.call?.cancel()
            handler.finish(
                GRPCStatus(.deadlineExceeded, "a message did not come in within grpc-message-timeout-secs, \(seconds)"))
        }
    }

    private func decompressed(_ message: GRPCMessageDecoder.Message) throws(GRPCStatus) -> Buffer {
        guard message.isCompressed else { return message.bytes }
        guard let requestEncoding else {
            throw GRPCStatus(.internal, "a message is compressed, and grpc-encoding does not say how")
        }
        do {
            let bytes = try message.bytes.withUnsafeBytes {
                try requestEncoding.decompress(
                    $0, limit: options.maximumMessageSize, limitName: "grpc-max-message-size")
            }
            return try budget.charge(bytes)
        } catch {
            throw GRPCStatus(HalcyonError(wrapping: error))
        }
    }

    private func take(_ message: Buffer, _ method: GRPCMethod) throws(GRPCStatus) {
        guard let call else { return }
        if let stream { return stream.receive(message) }
        guard !hasMessage || method.isClientStreaming else {
            throw GRPCStatus(.internal, "the method takes one message, and the client sent another")
        }
        hasMessage = true
        service.receive(message, of: method, call: call)
    }

    private func endOfRequest() {
        guard case .open(let method) = state else { return }
        state = .halfClosed
        if let stream { return stream.endOfRequests() }
        if !decoder.isBetweenMessages || !(hasMessage || method.isClientStreaming) {
            finish(GRPCStatus(.internal, "the stream ended before a whole message"))
        } else if method == .reflection {
            finish(.ok)
        }
    }

    // MARK: Outbound

    func answer(_ message: InferenceProtobufWriter.Message, whenSent: (@Sendable () -> Void)? = nil) {
        if case .finished = state { return }
        guard message.byteCount <= Self.maximumMessageSize else { return finish(Self.tooLarge(message)) }
        write(message, whenSent)
        finish(.ok)
    }

    func send(_ message: InferenceProtobufWriter.Message, whenSent: (@Sendable () -> Void)? = nil) {
        if case .finished = state {
            whenSent?()
            return
        }
        guard message.byteCount <= Self.maximumMessageSize else {
            whenSent?()
            return finish(Self.tooLarge(message))
        }
        write(message, whenSent)
        context?.flush()
    }

    /// What a client of the protocol can take: its lengths are signed.
    private static let maximumMessageSize = Int(Int32.max) - 5

    private static func tooLarge(_ message: InferenceProtobufWriter.Message) -> GRPCStatus {
        GRPCStatus(
            .resourceExhausted,
            "the response of \(message.byteCount) bytes is over \(maximumMessageSize), the most that is sent")
    }

    private func write(_ message: InferenceProtobufWriter.Message, _ whenSent: (@Sendable () -> Void)?) {
        guard let context else {
            whenSent?()
            return
        }
        sendHeaders(context)
        pings.policy.sentData()
        let payload = wrapOutboundOut(.data(.init(data: .byteBuffer(framed(message, context)))))
        if let whenSent {
            context.write(payload).whenComplete { _ in whenSent() }
        } else {
            context.write(payload, promise: nil)
        }
    }

    private func framed(_ message: InferenceProtobufWriter.Message, _ context: ChannelHandlerContext) -> ByteBuffer {
        var buffer = context.channel.allocator.buffer(capacity: 5 + message.byteCount)
        if let responseEncoding, message.byteCount > 0, let bytes = compressed(message, responseEncoding) {
            buffer.writeInteger(UInt8(1))
            buffer.writeInteger(UInt32(bytes.count))
            buffer.writeBytes(bytes)
            return buffer
        }
        buffer.writeInteger(UInt8(0))
        buffer.writeInteger(UInt32(clamping: message.byteCount))
        for part in message.parts {
            switch part {
            case .bytes(let bytes): buffer.writeBytes(bytes)
            case .tensor(let tensor): tensor.withUnsafeBytes { _ = buffer.writeBytes($0) }
            }
        }
        return buffer
    }

    private func compressed(_ message: InferenceProtobufWriter.Message, _ encoding: Compression) -> [UInt8]? {
        var plain: [UInt8] = []
        plain.reserveCapacity(message.byteCount)
        for part in message.parts {
            switch part {
            case .bytes(let bytes): plain += bytes
            case .tensor(let tensor): tensor.withUnsafeBytes { plain.append(contentsOf: $0) }
            }
        }
        return plain.withUnsafeBytes { try? encoding.compress([$0], level: options.compressionLevel) }
    }

    private static let plainHeaders = HPACKHeaders([(":status", "200"), ("content-type", "application/grpc")])

    private func sendHeaders(_ context: ChannelHandlerContext) {
        guard !hasSentHeaders else { return }
        hasSentHeaders = true
        var headers = Self.plainHeaders
        if let responseEncoding { headers.add(name: "grpc-encoding", value: responseEncoding.rawValue) }
        context.write(wrapOutboundOut(.headers(.init(headers: headers))), promise: nil)
    }

    func finish(_ status: GRPCStatus) {
        if case .finished = state { return }
        guard let context else { return }
        // What the client still sends is read over; a reset here could overtake the status at its side.
        state = .finished
        letGo()
        var trailers = hasSentHeaders ? HPACKHeaders() : Self.plainHeaders
        trailers.add(name: "grpc-status", value: String(status.code.rawValue))
        if !status.message.isEmpty { trailers.add(name: "grpc-message", value: status.encodedMessage) }
        if status.code == .unavailable { trailers.add(name: "retry-after", value: "1") }
        context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: trailers, endStream: true))), promise: nil)
        stream = nil
        call = nil
    }
}
