import NIOCore
import NIOEmbedded
import NIOHPACK

@testable import GRPCFrontend

/// The client's side of a connection in memory, by frames.
final class HTTP2TestClient {
    struct Frame: Equatable {
        var type: UInt8
        var flags: UInt8
        var stream: UInt32
        var payload: [UInt8]
    }

    enum Kind {
        static let data: UInt8 = 0
        static let headers: UInt8 = 1
        static let reset: UInt8 = 3
        static let settings: UInt8 = 4
        static let ping: UInt8 = 6
        static let goAway: UInt8 = 7
    }

    let channel: EmbeddedChannel
    private var encoder = HPACKEncoder(allocator: ByteBufferAllocator())
    private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
    private var received = ByteBuffer()
    private var fields: [UInt32: [HPACKHeaders]] = [:]

    init(_ channel: EmbeddedChannel) { self.channel = channel }

    static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
        let length = UInt32(payload.count)
        return [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), type, flags]
            + withUnsafeBytes(of: stream.bigEndian) { Array($0) } + payload
    }

    func connect() throws {
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    func sendPreface() throws {
        try send(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + Self.frame(Kind.settings))
    }

    func send(_ bytes: [UInt8]) throws {
        // What ends the connection is seen by what comes back.
        _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
        channel.embeddedEventLoop.run()
    }

    func headers(_ stream: UInt32, _ path: String, _ more: [(String, String)] = []) throws -> [UInt8] {
        var block = ByteBuffer()
        let headers = HPACKHeaders(
            [
                (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "x"),
                ("content-type", "application/grpc"), ("te", "trailers"),
            ] + more)
        try encoder.encode(headers: headers, to: &block)
        return Self.frame(Kind.headers, flags: 4, stream: stream, Array(block.readableBytesView))
    }

    func message(_ stream: UInt32, _ bytes: [UInt8] = [], isLast: Bool = true) -> [UInt8] {
        let prefix = [0] + withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { Array($0) }
        return Self.frame(Kind.data, flags: isLast ? 1 : 0, stream: stream, prefix + bytes)
    }

    func acknowledge(_ ping: [UInt8]) throws { try send(Self.frame(Kind.ping, flags: 1, ping)) }

    /// The frames that have come since the last time.
    func frames() throws -> [Frame] {
        while let part = try channel.readOutbound(as: IOData.self) {
            if case .byteBuffer(var buffer) = part { received.writeBuffer(&buffer) }
        }
        var frames: [Frame] = []
        while received.readableBytes >= 9 {
            let head = received.readBytes(length: 9) ?? []
            let length = head[..<3].reduce(0) { $0 << 8 | Int($1) }
            let stream = head[5...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let frame = Frame(
                type: head[3], flags: head[4], stream: stream, payload: received.readBytes(length: length) ?? [])
            frames.append(frame)
            // The table of headers is kept up with all that comes.
            var block = ByteBuffer(bytes: frame.payload)
            if frame.type == Kind.headers, let headers = try? decoder.decodeHeaders(from: &block) {
                fields[stream, default: []].append(headers)
            }
        }
        return frames
    }

    /// The frames of those kinds among the ones that have come since the last time.
    func frames(_ types: UInt8...) throws -> [Frame] { try frames().filter { types.contains($0.type) } }

    /// What the header blocks of a stream say, in order.
    func fields(of stream: UInt32) throws -> [HPACKHeaders] {
        _ = try frames()
        return fields[stream] ?? []
    }
}
