internal import NIOCore

/// A frame's head (RFC 9113, section 4.1).
struct HTTP2Frame {
    static let headSize = 9

    static let data: UInt8 = 0
    static let headers: UInt8 = 1
    static let reset: UInt8 = 3
    static let settings: UInt8 = 4
    static let ping: UInt8 = 6
    static let goAway: UInt8 = 7
    static let windowUpdate: UInt8 = 8
    static let continuation: UInt8 = 9

    /// On data and headers; on settings and pings the same bit says that they are an acknowledgement.
    static let endStream: UInt8 = 0x1
    static let acknowledgement: UInt8 = 0x1
    static let endHeaders: UInt8 = 0x4
    static let padded: UInt8 = 0x8
    static let priority: UInt8 = 0x20

    var length: Int
    var type: UInt8
    var flags: UInt8
    var stream: Int

    /// The next frame's head, which stays in the buffer; `nil` where it is not whole.
    init?(at buffer: ByteBuffer) {
        let start = buffer.readerIndex
        guard buffer.readableBytes >= Self.headSize, let high = buffer.getInteger(at: start, as: UInt32.self),
            let flags = buffer.getInteger(at: start + 4, as: UInt8.self),
            let stream = buffer.getInteger(at: start + 5, as: UInt32.self)
        else { return nil }
        length = Int(high >> 8)
        type = UInt8(high & 0xFF)
        self.flags = flags
        self.stream = Int(stream & 0x7FFF_FFFF)
    }

    static func write(
        _ type: UInt8, flags: UInt8 = 0, stream: Int = 0, length: Int, to buffer: inout ByteBuffer
    ) {
        buffer.writeInteger(UInt32(clamping: length) << 8 | UInt32(type))
        buffer.writeInteger(flags)
        buffer.writeInteger(UInt32(clamping: stream))
    }
}
