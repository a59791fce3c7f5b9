internal import CResample
internal import Tensors

/// Brings a picture to another size, first from top to bottom, then from left to right, a row of output at a time.
struct Resampler {
    private let picture: Picture
    private let width: Int
    private let height: Int
    private let columns: TriangleFilter
    private let rows: TriangleFilter

    /// - Parameters:
    ///   - width: of the output, at least 1; and so is `height`.
    ///   - scale: what a value of 1 becomes.
    init(picture: Picture, width: Int, height: Int, scale: Float) {
        self.picture = picture
        self.width = width
        self.height = height
        columns = TriangleFilter(source: picture.width, output: width, scale: scale)
        rows = TriangleFilter(source: picture.height, output: height)
    }

    /// Makes every output row: `planes` says where the row's red, green and blue values go, `done` is called when they
    /// are there.
    private func forEachRow(
        into planes: (Int) -> [UnsafeMutablePointer<Float>], done: (Int) -> Void = { _ in }
    ) {
        let length = picture.width * 3
        withUnsafeTemporaryAllocation(of: Float.self, capacity: length + 1) { blended in
            guard let blended = blended.baseAddress else { return }
            blended[length] = 0
            picture.pixels.withUnsafeBytes { pixels in
                guard let base = pixels.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
                for row in 0..<height {
                    let start = Int(rows.starts[row])
                    let sources: [UnsafePointer<UInt8>?] = (start..<start + rows.taps).map { base + $0 * length }
                    rows.weights.withUnsafeBufferPointer { weights in
                        guard let weights = weights.baseAddress else { return }
                        halcyon_blend_rows(
                            sources, weights + row * rows.taps, Int32(rows.taps), blended, Int32(length))
                    }
                    let targets = planes(row)
                    halcyon_blend_columns(
                        blended, columns.starts, columns.weights, Int32(columns.taps), Int32(width), targets[0],
                        targets[1], targets[2])
                    done(row)
                }
            }
        }
    }

    /// FP32 `[3,height,width]` of `frame`, the picture at its place in it and 0 around it.
    func writePlanes(_ storage: TensorStorage, frame: Frame) {
        let output = storage.baseAddress.assumingMemoryBound(to: Float.self)
        let plane = frame.width * frame.height
        for channel in 0..<3 {
            let base = output + channel * plane
            base.update(repeating: 0, count: frame.top * frame.width)
            let below = frame.top + height
            (base + below * frame.width).update(repeating: 0, count: (frame.height - below) * frame.width)
            for row in frame.top..<below where width < frame.width {
                let line = base + row * frame.width
                line.update(repeating: 0, count: frame.left)
                (line + frame.left + width).update(repeating: 0, count: frame.width - frame.left - width)
            }
        }
        forEachRow { row in
            (0..<3).map { output + $0 * plane + (frame.top + row) * frame.width + frame.left }
        }
    }

    /// FP32 `[height,width,3]` of `frame`.
    func writePixels(_ storage: TensorStorage, frame: Frame) {
        write(storage, of: Float.self, frame: frame, stride: (column: 3, channel: 1)) { $0 }
    }

    /// UINT8 `[3,height,width]` of `frame`; values are rounded.
    func writeBytePlanes(_ storage: TensorStorage, frame: Frame) {
        write(storage, of: UInt8.self, frame: frame, stride: (column: 1, channel: frame.width * frame.height)) {
            UInt8(min(255, max(0, $0 + 0.5)))
        }
    }

    /// UINT8 `[height,width,3]` of `frame`; values are rounded.
    func writeBytePixels(_ storage: TensorStorage, frame: Frame) {
        write(storage, of: UInt8.self, frame: frame, stride: (column: 3, channel: 1)) {
            UInt8(min(255, max(0, $0 + 0.5)))
        }
    }

    private func write<Element: BitwiseCopyable & ExpressibleByIntegerLiteral>(
        _ storage: TensorStorage, of type: Element.Type, frame: Frame, stride: (column: Int, channel: Int),
        _ convert: (Float) -> Element
    ) {
        let output = storage.baseAddress.assumingMemoryBound(to: Element.self)
        output.update(repeating: 0, count: frame.width * frame.height * 3)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: width * 3) { scratch in
            guard let scratch = scratch.baseAddress else { return }
            let planes = (0..<3).map { scratch + $0 * width }
            forEachRow { _ in
                planes
            } done: { row in
                let line = output + ((frame.top + row) * frame.width + frame.left) * stride.column
                for channel in 0..<3 {
                    for column in 0..<width {
                        line[column * stride.column + channel * stride.channel] = convert(planes[channel][column])
                    }
                }
            }
        }
    }
}
