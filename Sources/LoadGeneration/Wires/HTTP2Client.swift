internal import NIOCore
internal import Tensors

/// A connection of HTTP/2 as a client of gRPC has it (RFC 9113): bytes that come in, bytes to send, and what they mean.
///
/// A call is named by a number of the caller's own.
struct HTTP2Client {
    enum Event {
        /// A message of a call, the first of which may say that the call has failed.
        case message(call: Int)
        case ended(call: Int, GRPCAnswer)
    }

    private struct Call {
        /// The caller's.
        var number: Int
        var parser: GRPCMessageParser
        /// What the server's windows have no room for.
        var unsent: ByteBuffer
        var window: Int
        var status: Int?
        var message = ""
        var httpStatus: String?
    }

    /// Streams of a connection; then it takes another.
    private static let lastStream = 1 << 30
    private static let largestWindow = Int(Int32.max)
    private static let maxFrameSize = 1 << 20

    private let keepsBodies: Bool
    private let isStreaming: Bool
    private var calls: [Int: Call] = [:]
    private var nextStream = 1
    private var responses = ResponseHeaders()
    /// Bytes that may be sent on the connection, on a new stream, and in a frame.
    private var window = 65535
    private var initialWindow = 65535
    private var peerFrameSize = 16384
    private var received = 0
    private var remembersHeaders: Bool?
    private var mustShrinkTable = false
    /// Headers whose end is still to come.
    private var open: (stream: Int, flags: UInt8, block: [UInt8])?
    /// Why no more calls can be made; `nil` where they can.
    private(set) var farewell: String?

    /// - Parameters:
    ///   - keepsBodies: whether the last message of each call is handed out.
    ///   - isStreaming: whether messages are those of a stream of inferences, which may say that one failed.
    init(keepsBodies: Bool, isStreaming: Bool) {
        self.keepsBodies = keepsBodies
        self.isStreaming = isStreaming
    }

    /// What a connection begins with: the largest windows there are.
    static func preface() -> ByteBuffer {
        var buffer = ByteBuffer(string: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        let settings: [(UInt16, UInt32)] = [
            (0x2, 0), (0x4, UInt32(largestWindow)), (0x5, UInt32(maxFrameSize)),
        ]
        HTTP2Frame.write(HTTP2Frame.settings, length: settings.count * 6, to: &buffer)
        for (name, value) in settings {
            buffer.writeInteger(name)
            buffer.writeInteger(value)
        }
        HTTP2Frame.write(HTTP2Frame.windowUpdate, length: 4, to: &buffer)
        buffer.writeInteger(UInt32(largestWindow - 65535))
        return buffer
    }

    var isIdle: Bool { calls.isEmpty }
    var openCalls: [Int] { calls.values.map(\.number) }

    /// Begins a call with the only message that it has.
    mutating func begin(call number: Int, _ headers: HeaderBlock, _ message: ByteBuffer, output: inout ByteBuffer) {
        let stream = nextStream
        nextStream += 2
        if nextStream > Self.lastStream { farewell = "the connection has no numbers left" }
        var block = headers.plain
        if remembersHeaders != false, headers.first != headers.plain {
            block = remembersHeaders == true ? headers.later : headers.first
            remembersHeaders = true
        }
        if mustShrinkTable {
            block.insert(0x20, at: 0)
            mustShrinkTable = false
        }
        HTTP2Frame.write(
            HTTP2Frame.headers, flags: HTTP2Frame.endHeaders, stream: stream, length: block.count, to: &output)
        output.writeBytes(block)
        var call = Call(
            number: number, parser: GRPCMessageParser(keepsBodies: keepsBodies, isStreaming: isStreaming),
            unsent: message,
            window: initialWindow)
        send(&call, stream, &output)
        calls[stream] = call
    }

    /// Sends as much as there is room for.
    private mutating func send(_ call: inout Call, _ stream: Int, _ output: inout ByteBuffer) {
        while call.unsent.readableBytes > 0 {
            let count = min(call.unsent.readableBytes, peerFrameSize, window, call.window)
            guard count > 0, let part = call.unsent.readSlice(length: count) else { return }
            let isLast = call.unsent.readableBytes == 0
            HTTP2Frame.write(
                HTTP2Frame.data, flags: isLast ? HTTP2Frame.endStream : 0, stream: stream, length: count, to: &output)
            output.writeImmutableBuffer(part)
            window -= count
            call.window -= count
        }
    }

    private mutating func sendAll(_ output: inout ByteBuffer) {
        for (stream, call) in calls where call.unsent.readableBytes > 0 {
            var call = call
            send(&call, stream, &output)
            calls[stream] = call
        }
    }

    /// Reads what frames are whole.
    ///
    /// - Throws: `unavailable` for what is no HTTP/2.
    mutating func receive(
        _ input: inout ByteBuffer, output: inout ByteBuffer, _ events: inout [Event]
    ) throws(HalcyonError) {
        while let frame = HTTP2Frame(at: input) {
            guard frame.length <= Self.maxFrameSize else {
                throw HalcyonError(.unavailable, "what answers there does not speak HTTP/2, which gRPC is")
            }
            guard input.readableBytes >= HTTP2Frame.headSize + frame.length else { return }
            input.moveReaderIndex(forwardBy: HTTP2Frame.headSize)
            guard var payload = input.readSlice(length: frame.length) else { return }
            try receive(frame, &payload, &output, &events)
        }
    }

    private mutating func receive(
        _ frame: HTTP2Frame, _ payload: inout ByteBuffer, _ output: inout ByteBuffer, _ events: inout [Event]
    ) throws(HalcyonError) {
        switch frame.type {
        case HTTP2Frame.data:
            replenish(frame.length, &output)
            unpad(frame, &payload)
            receiveData(frame, payload, &events)
        case HTTP2Frame.headers:
            unpad(frame, &payload)
            if frame.flags & HTTP2Frame.priority != 0 {
                payload.moveReaderIndex(forwardBy: min(5, payload.readableBytes))
            }
            open = (frame.stream, frame.flags, Array(payload.readableBytesView))
            if frame.flags & HTTP2Frame.endHeaders != 0 { try receiveHeaders(&output, &events) }
        case HTTP2Frame.continuation:
            open?.block += Array(payload.readableBytesView)
            if frame.flags & HTTP2Frame.endHeaders != 0 { try receiveHeaders(&output, &events) }
        case HTTP2Frame.settings where frame.flags & HTTP2Frame.acknowledgement == 0:
            receiveSettings(&payload)
            HTTP2Frame.write(
                HTTP2Frame.settings, flags: HTTP2Frame.acknowledgement, length: 0, to: &output)
            sendAll(&output)
        case HTTP2Frame.ping where frame.flags & HTTP2Frame.acknowledgement == 0:
            HTTP2Frame.write(
                HTTP2Frame.ping, flags: HTTP2Frame.acknowledgement, length: payload.readableBytes, to: &output)
            output.writeImmutableBuffer(payload)
        case HTTP2Frame.windowUpdate:
            let size = Int(payload.readInteger(as: UInt32.self) ?? 0) & 0x7FFF_FFFF
            if frame.stream == 0 { window += size } else { calls[frame.stream]?.window += size }
            sendAll(&output)
        case HTTP2Frame.reset:
            guard let call = calls.removeValue(forKey: frame.stream) else { return }
            let code = payload.readInteger(as: UInt32.self) ?? 0
            // Having answered, a server may tell a client to stop sending.
            events.append(
                .ended(
                    call: call.number,
                    GRPCAnswer(status: 13, message: "the server reset the call with HTTP/2's error \(code)")))
        case HTTP2Frame.goAway:
            let last = Int(payload.readInteger(as: UInt32.self) ?? 0) & 0x7FFF_FFFF
            let code = payload.readInteger(as: UInt32.self) ?? 0
            farewell = "the server closes the connection" + (code == 0 ? "" : " for HTTP/2's error \(code)")
            for (stream, call) in calls where stream > last {
                calls[stream] = nil
                events.append(
                    .ended(call: call.number, GRPCAnswer(status: 14, message: "the server closes the connection")))
            }
        default: break
        }
    }

    private func unpad(_ frame: HTTP2Frame, _ payload: inout ByteBuffer) {
        guard frame.flags & HTTP2Frame.padded != 0, let padding = payload.readInteger(as: UInt8.self) else { return }
        payload = payload.readSlice(length: max(0, payload.readableBytes - Int(padding))) ?? payload
    }

    private mutating func replenish(_ count: Int, _ output: inout ByteBuffer) {
        received += count
        guard received > 1 << 24 else { return }
        HTTP2Frame.write(HTTP2Frame.windowUpdate, length: 4, to: &output)
        output.writeInteger(UInt32(clamping: received))
        received = 0
    }

    private mutating func receiveSettings(_ payload: inout ByteBuffer) {
        while let name = payload.readInteger(as: UInt16.self), let value = payload.readInteger(as: UInt32.self) {
            switch name {
            case 0x1 where value < 4096:
                remembersHeaders = false
                mustShrinkTable = true
            case 0x4:
                let change = Int(value) - initialWindow
                initialWindow = Int(value)
                for stream in calls.keys { calls[stream]?.window += change }
            case 0x5: peerFrameSize = max(16384, Int(value))
            default: break
            }
        }
    }

    private mutating func receiveData(_ frame: HTTP2Frame, _ payload: ByteBuffer, _ events: inout [Event]) {
        guard var call = calls[frame.stream] else { return }
        let before = call.parser.count
        call.parser.read(payload)
        for _ in before..<call.parser.count { events.append(.message(call: call.number)) }
        calls[frame.stream] = call
        if frame.flags & HTTP2Frame.endStream != 0 { end(frame.stream, &events) }
    }

    private mutating func receiveHeaders(
        _ output: inout ByteBuffer, _ events: inout [Event]
    ) throws(HalcyonError) {
        guard let (stream, flags, block) = open else { return }
        open = nil
        let content = try responses.read(block)
        if let status = content.status { calls[stream]?.httpStatus = status }
        if let status = content.grpcStatus {
            calls[stream]?.status = status
            calls[stream]?.message = content.grpcMessage
        }
        if flags & HTTP2Frame.endStream != 0 { end(stream, &events) }
    }

    private mutating func end(_ stream: Int, _ events: inout [Event]) {
        guard let call = calls.removeValue(forKey: stream) else { return }
        var answer = GRPCAnswer(
            status: call.status ?? 2, message: call.message, body: call.parser.body, count: call.parser.count)
        if call.status == nil {
            answer.message =
                call.httpStatus.map { $0 == "200" ? "the call ended without a status" : "HTTP status \($0)" }
                ?? "the call ended without a status"
        }
        if answer.status == 0, let failure = call.parser.failure {
            answer.status = 2
            answer.message = failure
        }
        events.append(.ended(call: call.number, answer))
    }
}
