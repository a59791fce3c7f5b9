private import CZlib
internal import Tensors

/// Compressed bytes made plain as they come.
final class Inflater {
    enum Form {
        /// With the frame of gzip.
        case gzip
        /// Without a frame, as in ZIP.
        case bare
    }

    // At one address for its life, as zlib wants it.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let form: Form
    private var isEnded = false

    init(_ form: Form) throws(HalcyonError) {
        self.form = form
        stream.initialize(to: z_stream())
        let bits: Int32 = form == .gzip ? 15 + 16 : -15
        guard inflateInit2_(stream, bits, zlibVersion(), Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw HalcyonError(.internal, "zlib can't be set up")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// - Throws: `invalidArgument` for what is not compressed this way; what `output` throws.
    func read(
        _ bytes: ArraySlice<UInt8>, output: (ArraySlice<UInt8>) throws(HalcyonError) -> Void
    ) throws(HalcyonError) {
        var input = Array(bytes)
        var plain = [UInt8](repeating: 0, count: 1 << 18)
        var taken = 0
        // Where what came out filled its room, more of it may wait although all that came in is taken.
        var isFull = false
        while taken < input.count || isFull {
            if isEnded {
                // A file of gzip may be several behind each other.
                guard form == .gzip, inflateReset(stream) == Z_OK else { return }
                isEnded = false
            }
            let status = step(&input, &taken, &plain)
            let count = plain.count - Int(stream.pointee.avail_out)
            if count > 0 { try output(plain[..<count]) }
            if isFull, status == Z_BUF_ERROR, taken == input.count { return }
            isFull = stream.pointee.avail_out == 0 && status == Z_OK
            if status == Z_STREAM_END {
                isEnded = true
            } else if status != Z_OK && !(status == Z_BUF_ERROR && count > 0) {
                throw HalcyonError(.invalidArgument, "the archive is not compressed as its name says, or is damaged")
            }
        }
    }

    private func step(_ input: inout [UInt8], _ taken: inout Int, _ plain: inout [UInt8]) -> Int32 {
        input.withUnsafeMutableBufferPointer { source in
            plain.withUnsafeMutableBufferPointer { target in
                let left = min(source.count - taken, 1 << 30)
                stream.pointee.next_in = source.baseAddress.map { $0 + taken }
                stream.pointee.avail_in = UInt32(left)
                stream.pointee.next_out = target.baseAddress
                stream.pointee.avail_out = UInt32(target.count)
                let status = inflate(stream, Z_NO_FLUSH)
                taken += left - Int(stream.pointee.avail_in)
                return status
            }
        }
    }

    /// Says that there is no more.
    func finish() throws(HalcyonError) {
        guard isEnded else { throw HalcyonError(.invalidArgument, "the archive ends too early") }
    }
}
