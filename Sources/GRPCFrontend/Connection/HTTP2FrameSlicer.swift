internal import NIOCore

/// Follows the frames in the bytes that come in, and says how far a number of them reaches: thousands of short ones fit
/// into what is read at a time.
struct HTTP2FrameSlicer {
    /// Bytes of a frame's header: length, type, flags, stream (RFC 9113, section 4.1).
    private static let headerSize = 9
    /// Bytes that a client begins with (RFC 9113, section 3.4), which are no frame.
    private static let prefaceSize = 24

    /// Bytes that are left of the frame that has begun.
    private var payloadLeft = prefaceSize
    /// What has come of a frame's header: its first bytes, which are the length, and how many bytes there were.
    private var length = 0
    private var headerCount = 0

    /// Takes off the bytes as far as a number of frames reaches that begin in them.
    mutating func slice(_ bytes: inout ByteBuffer, frames: Int) -> ByteBuffer {
        let start = bytes
        var left = frames
        while bytes.readableBytes > 0 {
            if payloadLeft > 0 {
                let count = min(payloadLeft, bytes.readableBytes)
                bytes.moveReaderIndex(forwardBy: count)
                payloadLeft -= count
                continue
            }
            if headerCount == 0 {
                guard left > 0 else { break }
                left -= 1
            }
            takeHeader(&bytes)
        }
        return start.getSlice(at: start.readerIndex, length: bytes.readerIndex - start.readerIndex) ?? ByteBuffer()
    }

    private mutating func takeHeader(_ bytes: inout ByteBuffer) {
        while headerCount < Self.headerSize, let byte = bytes.readInteger(as: UInt8.self) {
            if headerCount < 3 { length = length << 8 | Int(byte) }
            headerCount += 1
        }
        guard headerCount == Self.headerSize else { return }
        (payloadLeft, length, headerCount) = (length, 0, 0)
    }
}
