package import Tensors

/// How a picture is brought to a network's size.
package enum Fit: Hashable, Sendable {
    /// Scaled alike in both directions until it fits, in the middle; the rest is black.
    case letterbox
    /// Scaled to the size whatever its aspect ratio.
    case stretch
}

/// The way from a picture to a network's input: resize (bilinear, with a filter as wide as
/// the picture shrinks), RGB order, layout, element type.
///
/// FP32 inputs get 0…1, UINT8 inputs the bytes as they are.
package struct PreprocessingPlan: Sendable {
    private enum Layout {
        case planar
        case interleaved
    }

    package let width: Int
    package let height: Int
    private let dimensions: TensorShape
    private let elementType: ElementType
    private let layout: Layout
    private let fit: Fit
    private let byteCount: Int

    /// - Parameter dimensions: of one item: `[3,height,width]` or `[height,width,3]`.
    /// - Throws: `unsupported` for an input that is no picture.
    package init(elementType: ElementType, dimensions: TensorShape, fit: Fit) throws(HalcyonError) {
        let sizes = dimensions.dimensions
        guard sizes.count == 3, sizes.allSatisfy({ $0 > 0 }), sizes[0] == 3 || sizes[2] == 3,
            elementType == .fp32 || elementType == .uint8
        else {
            throw HalcyonError(
                .unsupported,
                "an input of \(elementType.rawValue) \(dimensions) is no picture: expected FP32 or UINT8, and "
                    + "[3,height,width] or [height,width,3]")
        }
        layout = sizes[0] == 3 ? .planar : .interleaved
        width = layout == .planar ? sizes[2] : sizes[1]
        height = layout == .planar ? sizes[1] : sizes[0]
        self.elementType = elementType
        self.dimensions = dimensions
        self.fit = fit
        byteCount = try dimensions.byteCount(of: elementType)
    }

    /// The shape of a batch of that many items.
    package func shape(batch: Int) -> TensorShape { dimensions.prepending(batch) }

    /// One item's bytes, and the way back for what is found in it.
    package func run(_ picture: Picture) -> (item: TensorBuffer, mapping: PictureMapping) {
        var size = (width: width, height: height)
        if fit == .letterbox {
            let factor = max(Double(picture.width) / Double(width), Double(picture.height) / Double(height))
            size.width = min(width, max(1, Int((Double(picture.width) / factor).rounded())))
            size.height = min(height, max(1, Int((Double(picture.height) / factor).rounded())))
        }
        let frame = Frame(
            width: width, height: height, left: (width - size.width) / 2, top: (height - size.height) / 2)
        let storage = TensorStorage.allocate(byteCount: byteCount)
        let resampler = Resampler(
            picture: picture, width: size.width, height: size.height, scale: elementType == .fp32 ? 1 / 255 : 1)
        switch (elementType, layout) {
        case (.fp32, .planar): resampler.writePlanes(storage, frame: frame)
        case (.fp32, .interleaved): resampler.writePixels(storage, frame: frame)
        case (_, .planar): resampler.writeBytePlanes(storage, frame: frame)
        case (_, .interleaved): resampler.writeBytePixels(storage, frame: frame)
        }
        let mapping = PictureMapping(
            scaleX: Float(picture.width) / Float(size.width), scaleY: Float(picture.height) / Float(size.height),
            left: Float(frame.left), top: Float(frame.top), width: Float(picture.width), height: Float(picture.height))
        return (TensorBuffer(storage), mapping)
    }
}
