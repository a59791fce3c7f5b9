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
            try Self.run(&stream, part) {
                CZlib.deflate($0, Z_NO_FLUSH)
            } output: { bytes throws(HalcyonError) in
                output.append(contentsOf: bytes)
            }
        }
        try Self.run(&stream, UnsafeRawBufferPointer(start: nil, count: 0)) {
            CZlib.deflate($0, Z_FINISH)
        } output: { bytes throws(HalcyonError) in
            output.append(contentsOf: bytes)
        }
        return output
    }

    /// - Parameters:
    ///   - limit: more bytes than this are refused, before there are any more.
    ///   - limitName: what the limit is called in the error.
    ///   - budget: what the bytes are counted against, as they come and until nothing refers to them any more.
    /// - Throws: `invalidArgument` for bytes that are not compressed this way, or that are too many; `unavailable`
    ///   where the server holds too many.
    package func decompress(
        _ bytes: UnsafeRawBufferPointer, limit: Int, limitName: String, budget: ByteBudget
    ) throws(HalcyonError) -> TensorBuffer {
        var stream = z_stream()
        guard inflateInit2_(&stream, windowBits, zlibVersion(), Self.streamSize) == Z_OK else {
            throw HalcyonError(.internal, "zlib can't be set up")
        }
        defer { inflateEnd(&stream) }
        var output = BodyCollector(
            expected: nil, alignedOffset: 0, limit: limit, limitName: limitName, budget: budget)
        var isComplete = false
        try Self.run(&stream, bytes) { stream in
            let status = inflate(stream, Z_NO_FLUSH)
            if status == Z_STREAM_END { isComplete = true }
            return status
        } output: { bytes throws(HalcyonError) in
            guard bytes.count <= limit - output.byteCount else {
                throw HalcyonError(.invalidArgument, "the decompressed bytes are over \(limitName), \(limit)")
            }
            try output.append(bytes)
        }
        guard isComplete, stream.avail_in == 0 else {
            throw HalcyonError(.invalidArgument, "the bytes are not a whole \(rawValue) stream")
        }
        return output.finish()
    }

    /// Feeds zlib with all of the input and hands on what comes out.
    private static func run(
        _ stream: inout z_stream, _ input: UnsafeRawBufferPointer, step: (UnsafeMutablePointer<z_stream>) -> Int32,
        output: (UnsafeRawBufferPointer) throws(HalcyonError) -> Void
    ) throws(HalcyonError) {
        guard input.count <= Int(UInt32.max) else {
            throw HalcyonError(.invalidArgument, "\(input.count) bytes are too many to be compressed at once")
        }
        stream.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.avail_in = UInt32(input.count)
        let piece = TensorStorage.allocate(byteCount: pieceSize)
        defer { withExtendedLifetime(piece) {} }
        while true {
            stream.next_out = piece.baseAddress.assumingMemoryBound(to: UInt8.self)
            stream.avail_out = UInt32(pieceSize)
            let status = step(&stream)
            let count = pieceSize - Int(stream.avail_out)
            try output(UnsafeRawBufferPointer(start: piece.baseAddress, count: count))
            switch status {
            case Z_STREAM_END: return
            case Z_OK where stream.avail_out == 0 || stream.avail_in > 0: continue
            case Z_OK, Z_BUF_ERROR:
                if count == 0 || stream.avail_out > 0 { return }
            default: throw HalcyonError(.invalidArgument, "the bytes are not compressed as they say")
            }
        }
    }

    private static let pieceSize = 64 << 10
}
