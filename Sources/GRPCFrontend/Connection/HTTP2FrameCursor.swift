internal import NIOCore

/// Follows the frames in the bytes that go out, to know when the HTTP/2 implementation gives a connection up: its
/// errors do not say whether they concern a stream or all of them.
struct HTTP2FrameCursor {
    /// Bytes of a frame's header: length, type, flags, stream (RFC 9113, section 4.1).
    private static let headerSize = 9
    private static let goAway: UInt8 = 7

    private var header: [UInt8] = []
    private var payloadLeft = 0
    private var isGoAway = false
    private var payload: [UInt8] = []
    /// Whether a GOAWAY with an error has gone by.
    private(set) var hasSeenError = false

    mutating func take(_ bytes: ByteBuffer) {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            if payloadLeft > 0 {
                takePayload(&bytes)
            } else {
                takeHeader(&bytes)
            }
        }
    }

    private mutating func takePayload(_ bytes: inout ByteBuffer) {
        let count = min(payloadLeft, bytes.readableBytes)
        if isGoAway {
            // The last stream's number, and the code.
            payload += (bytes.viewBytes(at: bytes.readerIndex, length: count) ?? .init()).prefix(8 - payload.count)
            if payload.count == 8 {
                hasSeenError = hasSeenError || payload[4...].contains { $0 != 0 }
                isGoAway = false
            }
        }
        bytes.moveReaderIndex(forwardBy: count)
        payloadLeft -= count
    }

    private mutating func takeHeader(_ bytes: inout ByteBuffer) {
        // All but always a header comes whole.
        if header.isEmpty, let length = bytes.getInteger(at: bytes.readerIndex, as: UInt32.self),
            let type = bytes.getInteger(at: bytes.readerIndex + 3, as: UInt8.self),
            bytes.readableBytes >= Self.headerSize
        {
            bytes.moveReaderIndex(forwardBy: Self.headerSize)
            return begin(length: Int(length >> 8), type: type)
        }
        while header.count < Self.headerSize, let byte = bytes.readInteger(as: UInt8.self) { header.append(byte) }
        guard header.count == Self.headerSize else { return }
        begin(length: header[..<3].reduce(0) { $0 << 8 | Int($1) }, type: header[3])
        header.removeAll()
    }

    private mutating func begin(length: Int, type: UInt8) {
        payloadLeft = length
        isGoAway = type == Self.goAway
        payload.removeAll()
    }
}
