internal import ProtobufWire
internal import Tensors

/// Reads `InferTensorContents`: a tensor's elements as lists of protobuf's own types.
struct ProtobufContents {
    let name: String
    let elementType: ElementType
    let model: String
    /// What the elements count against.
    let budget: ByteBudget

    /// - Parameter range: where the message lies in the body.
    func read(_ body: TensorBuffer, _ range: Range<Int>) throws(HalcyonError) -> TensorBuffer {
        do {
            return try body.withUnsafeBytes { bytes in
                var output = BodyCollector(
                    expected: range.count, alignedOffset: 0, limit: Int.max / 2, limitName: "63 bits", budget: budget)
                var reader = ProtobufReader(bytes[range])
                while let (field, value) = try reader.next() { try append(field, value, to: &output) }
                return output.finish()
            }
        } catch {
            throw HalcyonError(wrapping: error)
        }
    }

    private func append(
        _ field: Int, _ value: ProtobufReader.Value, to output: inout BodyCollector
    ) throws(HalcyonError) {
        guard (1...8).contains(field) else { return }
        switch (field, elementType) {
        case (1, .bool): try numbers(value, &output) { UInt8($0 == 0 ? 0 : 1) }
        case (2, .int8): try numbers(value, &output) { Int8(exactly: Int32(truncatingIfNeeded: $0)) }
        case (2, .int16): try numbers(value, &output) { Int16(exactly: Int32(truncatingIfNeeded: $0)) }
        case (2, .int32): try numbers(value, &output) { Int32(truncatingIfNeeded: $0) }
        case (3, .int64): try numbers(value, &output) { Int64(bitPattern: $0) }
        case (4, .uint8): try numbers(value, &output) { UInt8(exactly: UInt32(truncatingIfNeeded: $0)) }
        case (4, .uint16): try numbers(value, &output) { UInt16(exactly: UInt32(truncatingIfNeeded: $0)) }
        case (4, .uint32): try numbers(value, &output) { UInt32(truncatingIfNeeded: $0) }
        case (5, .uint64): try numbers(value, &output) { $0 }
        case (6, .fp32): try fixed(value, size: 4, &output)
        case (7, .fp64): try fixed(value, size: 8, &output)
        case (8, .bytes):
            let element = try value.content()
            guard let count = UInt32(exactly: element.count) else { throw ProtobufReader.malformed }
            try Self.append(count.littleEndian, &output)
            try output.append(UnsafeRawBufferPointer(rebasing: element))
        default:
            throw HalcyonError(
                .invalidArgument,
                "unexpected explicit tensor data for input tensor '\(name)' for model '\(model)' of type "
                    + "'\(elementType.rawValue)'")
        }
    }

    /// Whole numbers, packed into one field or one in each.
    private func numbers<Element: BitwiseCopyable>(
        _ value: ProtobufReader.Value, _ output: inout BodyCollector, _ convert: (UInt64) -> Element?
    ) throws(HalcyonError) {
        if case .varint(let number) = value {
            try append(convert(number), number, &output)
            return
        }
        var packed = try value.message()
        while !packed.isAtEnd {
            let number = try packed.varint()
            try append(convert(number), number, &output)
        }
    }

    private func append<Element: BitwiseCopyable>(
        _ element: Element?, _ number: UInt64, _ output: inout BodyCollector
    ) throws(HalcyonError) {
        guard let element else {
            throw HalcyonError(
                .invalidArgument,
                "input '\(name)' has the number \(Int64(bitPattern: number)), which is no \(elementType.rawValue)")
        }
        try Self.append(element, &output)
    }

    private static func append<Element: BitwiseCopyable>(
        _ element: Element, _ output: inout BodyCollector
    ) throws(HalcyonError) {
        do {
            try withUnsafeBytes(of: element) { try output.append($0) }
        } catch {
            throw HalcyonError(wrapping: error)
        }
    }

    /// Floating-point numbers, which lie in the message as they do in memory.
    private func fixed(
        _ value: ProtobufReader.Value, size: Int, _ output: inout BodyCollector
    ) throws(HalcyonError) {
        switch value {
        case .fixed32(let bits) where size == 4: try Self.append(bits, &output)
        case .fixed64(let bits) where size == 8: try Self.append(bits, &output)
        case .bytes(let packed) where packed.count % size == 0:
            try output.append(UnsafeRawBufferPointer(rebasing: packed))
        default: throw ProtobufReader.malformed
        }
    }
}
