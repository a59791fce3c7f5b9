package import Tensors

/// A picture in memory: RGB, a byte a channel, rows without padding.
package struct Picture: Sendable {
    package let width: Int
    package let height: Int
    /// `height` × `width` × 3 bytes.
    package let pixels: TensorBuffer

    /// - Throws: `invalidArgument` where the bytes are not as many as the size says, or the picture is empty.
    package init(width: Int, height: Int, pixels: TensorBuffer) throws(HalcyonError) {
        guard width > 0, height > 0 else {
            throw HalcyonError(.invalidArgument, "a picture of \(width) x \(height) pixels is empty")
        }
        let expected = try TensorShape([height, width, 3]).byteCount(of: .uint8)
        guard pixels.byteCount == expected else {
            throw HalcyonError(
                .invalidArgument,
                "a picture of \(width) x \(height) pixels has \(expected) bytes, got \(pixels.byteCount)")
        }
        self.width = width
        self.height = height
        self.pixels = pixels
    }
}
