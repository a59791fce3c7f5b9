package import Tensors

/// Makes up inputs.
package struct TensorMaker: Sendable {
    package enum Content: String, Hashable, Sendable, CaseIterable {
        /// Floating-point numbers from 0 to 1, whole ones from 0 to 127, letters.
        case random
        case zero
    }

    /// Bytes of an input that is made, which is far more than any model takes.
    private static let limit = 1 << 30
    private static let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)

    private let content: Content
    private let textLength: Int
    private var generator: SplitMix

    package init(_ content: Content, textLength: Int = 16, seed: UInt64 = 1) {
        self.content = content
        self.textLength = textLength
        generator = SplitMix(seed: seed)
    }

    /// - Throws: `invalidArgument` for a shape that is open or too large.
    package mutating func tensor(
        _ name: String, _ type: ElementType, _ shape: TensorShape
    ) throws(HalcyonError) -> Tensor {
        let count = try shape.elementCount()
        let size = type.byteSize ?? (4 + textLength)
        let (byteCount, overflow) = count.multipliedReportingOverflow(by: size)
        guard !overflow, byteCount <= Self.limit else {
            throw HalcyonError(
                .invalidArgument,
                "input '\(name)' of shape \(shape) is over \(Self.limit >> 20) MB: choose a smaller one")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(byteCount)
        for _ in 0..<count { append(type, to: &bytes) }
        return try Tensor(name: name, elementType: type, shape: shape, data: TensorBuffer(copying: bytes))
    }

    private mutating func append(_ type: ElementType, to bytes: inout [UInt8]) {
        guard content == .random else {
            // A text of zero is an empty one.
            return bytes.append(contentsOf: repeatElement(0, count: type.byteSize ?? 4))
        }
        let random = generator.next()
        switch type {
        case .bytes:
            withUnsafeBytes(of: UInt32(clamping: textLength).littleEndian) { bytes.append(contentsOf: $0) }
            for _ in 0..<textLength {
                bytes.append(Self.letters[Int(generator.next() % UInt64(Self.letters.count))])
            }
        case .fp32: append(Float(random >> 40) * 0x1p-24, to: &bytes)
        case .fp64: append(Double(random >> 11) * 0x1p-53, to: &bytes)
        // From a half to one: the exponent stands, the fraction is random.
        case .fp16: append(UInt16(0x3800 | random & 0x3FF), to: &bytes)
        case .bf16: append(UInt16(0x3F00 | random & 0x7F), to: &bytes)
        case .bool: bytes.append(UInt8(random & 1))
        case .uint8: bytes.append(UInt8(truncatingIfNeeded: random))
        case .int8, .int16, .uint16, .int32, .uint32, .int64, .uint64:
            bytes.append(UInt8(random & 0x7F))
            bytes.append(contentsOf: repeatElement(0, count: (type.byteSize ?? 1) - 1))
        }
    }

    private func append(_ value: some BitwiseCopyable, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    }
}
