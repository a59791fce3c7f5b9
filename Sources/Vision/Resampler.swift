internal import Tensors

/// Bilinear interpolation between pixel centres, as OpenCV's linear resize does it.
///
/// Each picture row that is needed is first widened into three planes of floats, once; an output row is then the blend
/// of two such rows, which the compiler turns into vector instructions.
struct Resampler {
    private let picture: Picture
    private let width: Int
    private let height: Int
    /// For each output column the byte offset of the left pixel, that of the right one, and the right one's weight.
    private let left: [Int32]
    private let right: [Int32]
    private let weight: [Float]

    /// - Parameters: the size that the picture is brought to; at least 1 × 1.
    init(picture: Picture, width: Int, height: Int) {
        self.picture = picture
        self.width = width
        self.height = height
        var (left, right, weight): ([Int32], [Int32], [Float]) = ([], [], [])
        left.reserveCapacity(width)
        right.reserveCapacity(width)
        weight.reserveCapacity(width)
        for column in 0..<width {
            let (first, second, part) = Self.neighbours(column, of: width, in: picture.width)
            left.append(Int32(truncatingIfNeeded: first * 3))
            right.append(Int32(truncatingIfNeeded: second * 3))
            weight.append(part)
        }
        self.left = left
        self.right = right
        self.weight = weight
    }

    /// The two source positions between which an output position lies, and the second one's weight.
    private static func neighbours(_ position: Int, of count: Int, in source: Int) -> (Int, Int, Float) {
        let centre = (Float(position) + 0.5) * Float(source) / Float(count) - 0.5
        let clamped = min(max(0, centre), Float(source - 1))
        let first = Int(clamped)
        return (first, min(first + 1, source - 1), clamped - Float(first))
    }

    /// Calls `body` with each output row: three planes of `width` floats in 0…255, one behind the other.
    private func forEachRow(_ body: (Int, UnsafePointer<Float>) -> Void) {
        let plane = width * 3
        withUnsafeTemporaryAllocation(of: Float.self, capacity: plane * 3) { scratch in
            guard let base = scratch.baseAddress else { return }
            var (upper, lower) = (base, base + plane)
            let blend = base + 2 * plane
            var (upperRow, lowerRow) = (-1, -1)
            picture.pixels.withUnsafeBytes { pixels in
                for row in 0..<height {
                    let (first, second, part) = Self.neighbours(row, of: height, in: picture.height)
                    if upperRow != first {
                        if lowerRow == first {
                            swap(&upper, &lower)
                            swap(&upperRow, &lowerRow)
                        } else {
                            widen(pixels, row: first, into: upper)
                            upperRow = first
                        }
                    }
                    if part == 0 || first == second {
                        body(row, upper)
                        continue
                    }
                    if lowerRow != second {
                        widen(pixels, row: second, into: lower)
                        lowerRow = second
                    }
                    for index in 0..<plane { blend[index] = upper[index] + (lower[index] - upper[index]) * part }
                    body(row, blend)
                }
            }
        }
    }

    /// Interpolates one picture row in the direction of x.
    private func widen(_ pixels: UnsafeRawBufferPointer, row: Int, into planes: UnsafeMutablePointer<Float>) {
        guard let base = pixels.baseAddress else { return }
        let source = (base + row * picture.width * 3).assumingMemoryBound(to: UInt8.self)
        let (red, green, blue) = (planes, planes + width, planes + 2 * width)
        left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { right in
                weight.withUnsafeBufferPointer { weight in
                    for column in 0..<width {
                        let (a, b) = (source + Int(left[column]), source + Int(right[column]))
                        let part = weight[column]
                        red[column] = Float(a[0]) + (Float(b[0]) - Float(a[0])) * part
                        green[column] = Float(a[1]) + (Float(b[1]) - Float(a[1])) * part
                        blue[column] = Float(a[2]) + (Float(b[2]) - Float(a[2])) * part
                    }
                }
            }
        }
    }

    /// FP32 `[3,rows,columns]`; what the picture does not cover is 0.
    func writePlanes(_ storage: BufferStorage, columns: Int, rows: Int, scale: Float) {
        let output = storage.baseAddress.assumingMemoryBound(to: Float.self)
        let plane = columns * rows
        forEachRow { row, values in
            for channel in 0..<3 {
                let target = output + channel * plane + row * columns
                let source = values + channel * width
                for column in 0..<width { target[column] = source[column] * scale }
                (target + width).update(repeating: 0, count: columns - width)
            }
        }
        for channel in 0..<3 where height < rows {
            (output + channel * plane + height * columns).update(repeating: 0, count: (rows - height) * columns)
        }
    }

    /// FP32 `[rows,columns,3]`.
    func writePixels(_ storage: BufferStorage, columns: Int, rows: Int, scale: Float) {
        let output = storage.baseAddress.assumingMemoryBound(to: Float.self)
        output.update(repeating: 0, count: columns * rows * 3)
        forEachRow { row, values in
            let target = output + row * columns * 3
            for column in 0..<width {
                for channel in 0..<3 { target[3 * column + channel] = values[channel * width + column] * scale }
            }
        }
    }

    /// UINT8 `[3,rows,columns]`.
    func writeBytePlanes(_ storage: BufferStorage, columns: Int, rows: Int) {
        let output = storage.baseAddress.assumingMemoryBound(to: UInt8.self)
        output.update(repeating: 0, count: columns * rows * 3)
        forEachRow { row, values in
            for channel in 0..<3 {
                let target = output + channel * columns * rows + row * columns
                for column in 0..<width { target[column] = Self.byte(values[channel * width + column]) }
            }
        }
    }

    /// UINT8 `[rows,columns,3]`.
    func writeBytePixels(_ storage: BufferStorage, columns: Int, rows: Int) {
        let output = storage.baseAddress.assumingMemoryBound(to: UInt8.self)
        output.update(repeating: 0, count: columns * rows * 3)
        forEachRow { row, values in
            let target = output + row * columns * 3
            for column in 0..<width {
                for channel in 0..<3 { target[3 * column + channel] = Self.byte(values[channel * width + column]) }
            }
        }
    }

    /// The nearest byte. Values are blends of bytes, so they lie in 0…255.
    private static func byte(_ value: Float) -> UInt8 { UInt8(truncatingIfNeeded: Int32(value + 0.5)) }
}
