internal import CTurboJPEG
package import Tensors

/// Writes JPEG.
package enum PictureEncoder {
    /// - Parameter quality: 1 to 100.
    package static func jpeg(_ picture: Picture, quality: Int = 90) throws(HalcyonError) -> [UInt8] {
        guard let width = Int32(exactly: picture.width), let height = Int32(exactly: picture.height),
            width <= 65500, height <= 65500
        else {
            throw HalcyonError(
                .invalidArgument, "a JPEG has at most 65500 pixels a side, got \(picture.width) x \(picture.height)")
        }
        guard let encoder = tjInitCompress() else { throw HalcyonError(.internal, "out of memory for a JPEG encoder") }
        defer { tjDestroy(encoder) }
        var output: UnsafeMutablePointer<UInt8>?
        var size: UInt = 0
        defer { tjFree(output) }
        let status = picture.pixels.withUnsafeBytes { bytes in
            tjCompress2(
                encoder, bytes.bindMemory(to: UInt8.self).baseAddress, width, 0, height, Int32(TJPF_RGB.rawValue),
                &output, &size, Int32(TJSAMP_420.rawValue), Int32(max(1, min(100, quality))), 0)
        }
        guard status == 0, let output else {
            let reason = tjGetErrorStr2(encoder).map { String(cString: $0) } ?? "unknown error"
            throw HalcyonError(.internal, "a picture of \(width) x \(height) pixels can't be encoded: \(reason)")
        }
        return Array(UnsafeBufferPointer(start: output, count: Int(size)))
    }

    /// Writes a JPEG file, whole or not at all.
    package static func write(_ picture: Picture, to path: String, quality: Int = 90) throws(HalcyonError) {
        try PictureFile.write(try jpeg(picture, quality: quality), to: path)
    }
}
