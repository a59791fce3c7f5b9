internal import Tensors

/// How a camera was held: what has to be done to its picture for it to stand upright. The values are EXIF's.
enum Orientation: UInt16, CaseIterable {
    case upright = 1
    case mirrored = 2
    case upsideDown = 3
    case flipped = 4
    case transposed = 5
    case right = 6
    case transversed = 7
    case left = 8

    /// Whether width and height change places.
    private var swapsAxes: Bool { rawValue >= 5 }

    /// The picture as it stands upright.
    func upright(_ picture: Picture) throws(HalcyonError) -> Picture {
        guard self != .upright else { return picture }
        let (width, height) = (picture.width, picture.height)
        let (newWidth, newHeight) = swapsAxes ? (height, width) : (width, height)
        let storage = TensorStorage.allocate(byteCount: picture.pixels.byteCount)
        let (origin, stepX, stepY) = walk(width, height)
        picture.pixels.withUnsafeBytes { source in
            let target = UnsafeMutableRawBufferPointer(start: storage.baseAddress, count: storage.byteCount)
            var written = 0
            for row in 0..<newHeight {
                var read = (origin + row * stepY) * 3
                for _ in 0..<newWidth {
                    target[written] = source[read]
                    target[written + 1] = source[read + 1]
                    target[written + 2] = source[read + 2]
                    written += 3
                    read += stepX * 3
                }
            }
        }
        return try Picture(width: newWidth, height: newHeight, pixels: TensorBuffer(storage))
    }

    /// Where in the stored picture the upright one's first pixel is, and how many pixels further the next of its row
    /// and of its column are.
    private func walk(_ width: Int, _ height: Int) -> (origin: Int, stepX: Int, stepY: Int) {
        let (right, bottom) = (width - 1, (height - 1) * width)
        return switch self {
        case .upright: (0, 1, width)
        case .mirrored: (right, -1, width)
        case .upsideDown: (bottom + right, -1, -width)
        case .flipped: (bottom, 1, -width)
        case .transposed: (0, width, 1)
        case .right: (bottom, -width, 1)
        case .transversed: (bottom + right, -width, -1)
        case .left: (right, width, -1)
        }
    }
}
