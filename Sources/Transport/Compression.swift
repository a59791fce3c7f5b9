private import CZlib
package import Tensors

/// gzip and deflate, as HTTP and gRPC name them (RFC 1952; RFC 1950, as `deflate` has come to mean).
package enum Compression: String, Hashable, Sendable, CaseIterable {
    case gzip
    case deflate

    /// zlib's window size, with the number that asks for gzip's frame.
    private var windowBits: Int32 { self == .gzip ? 15 + 16 : 15 }

    private static let streamSize = Int32(MemoryLayout<z_stream>.size)

    /// - Parameter level: 1 (fast) to 9 (small).
    package func compress(_ parts: [UnsafeRawBufferPointer], level: Int32) throws(HalcyonError) -> [UInt8] {
        var stream = z_stream()
        guard
            deflateInit2_(
                &stream, level, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, zlibVersion(), Self.streamSize) == Z_OK
        else { throw HalcyonError(.internal, "zlib can't be set up") }
        defer { deflateEnd(&stream) }
        let total = parts.reduce(0) { $0 + $1.count }
        var output = [UInt8]()
        output.reserveCapacity(total / 2 + 64)
        for part in parts {
            try Self.run(&stream, part, into: &output, limit: .max) { CZlib.deflate($0, Z_NO_FLUSH) }
        }
        try Self.run(&stream, UnsafeRawBufferPointer(start: nil, count: 0), into: &output, limit: .max) {
            CZlib.deflate($0, Z_FINISH)
        }
        return output
    }

    /// - Parameters:
    ///   - limit: more bytes than this are refused, before there are many more.
    ///   - limitName: what the limit is called in the error.
    /// - Throws: `invalidArgument` for bytes that are not compressed this way, or that are too many.
    package func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int, limitName: String
    ) throws(HalcyonError) -> [UInt8] {
        var stream = z_stream()
        guard inflateInit2_(&stream, windowBits, zlibVersion(), Self.streamSize) == Z_OK else {
            throw HalcyonError(.internal, "zlib can't be set up")
        }
        defer { inflateEnd(&stream) }
        var output = [UInt8]()
        var isComplete = false
        try Self.run(&stream, bytes, into: &output, limit: limit) { stream in
            let status = inflate(stream, Z_NO_FLUSH)
            if status == Z_STREAM_END { isComplete = true }
            return status
        }
        guard output.count <= limit else {
            throw HalcyonError(.invalidArgument, "the decompressed bytes are over \(limitName), \(limit)")
        }
        guard isComplete, stream.avail_in == 0 else {
            throw HalcyonError(.invalidArgument, "the bytes are not a whole \(rawValue) stream")
        }
        return output
    }

    /// Feeds zlib with all of the input and takes what comes out.
    private static func run(
        _ stream: inout z_stream, _ input: UnsafeRawBufferPointer, into output: inout [UInt8], limit: Int,
        step: (UnsafeMutablePointer<z_stream>) -> Int32
    ) throws(HalcyonError) {
        guard input.count <= Int(UInt32.max) else {
            throw HalcyonError(.invalidArgument, "\(input.count) bytes are too many to be compressed at once")
        }
        stream.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.avail_in = UInt32(input.count)
        let piece = 64 << 10
        while output.count <= limit {
            let before = output.count
            var status = Z_OK
            var left: UInt32 = 0
            let chunk = [UInt8](unsafeUninitializedCapacity: piece) { buffer, count in
                stream.next_out = buffer.baseAddress
                stream.avail_out = UInt32(piece)
                status = step(&stream)
                left = stream.avail_out
                count = piece - Int(left)
            }
            output.append(contentsOf: chunk)
            switch status {
            case Z_STREAM_END: return
            case Z_OK where left == 0 || stream.avail_in > 0: continue
            case Z_OK, Z_BUF_ERROR:
                if output.count == before || left > 0 { return }
            default: throw HalcyonError(.invalidArgument, "the bytes are not compressed as they say")
            }
        }
    }
}
