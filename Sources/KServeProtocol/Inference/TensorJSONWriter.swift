internal import JSONText
internal import ModelRuntime
internal import Tensors

/// Writes a tensor's elements as one flat JSON list, or what stands in it.
struct TensorJSONWriter {
    /// - Parameter isList: whether brackets stand around the elements.
    /// - Throws: `invalidArgument` for text that is not UTF-8, which JSON can't hold.
    static func write(
        _ tensor: Tensor, isList: Bool = true, to output: inout JSONOutput
    ) throws(HalcyonError) {
        if isList { output.append("[") }
        try writeElements(of: tensor, to: &output)
        if isList { output.append("]") }
    }

    private static func writeElements(of tensor: Tensor, to output: inout JSONOutput) throws(HalcyonError) {
        switch tensor.elementType {
        case .bool: list(tensor, UInt8.self, &output) { $1.append($0 == 0 ? "false" : "true") }
        case .uint8: list(tensor, UInt8.self, &output) { $1.append(integer: $0) }
        case .uint16: list(tensor, UInt16.self, &output) { $1.append(integer: $0) }
        case .uint32: list(tensor, UInt32.self, &output) { $1.append(integer: $0) }
        case .uint64: list(tensor, UInt64.self, &output) { $1.append(integer: $0) }
        case .int8: list(tensor, Int8.self, &output) { $1.append(integer: $0) }
        case .int16: list(tensor, Int16.self, &output) { $1.append(integer: $0) }
        case .int32: list(tensor, Int32.self, &output) { $1.append(integer: $0) }
        case .int64: list(tensor, Int64.self, &output) { $1.append(integer: $0) }
        case .fp32: list(tensor, Float.self, &output) { $1.append(number: $0) }
        case .fp64: list(tensor, Double.self, &output) { $1.append(number: $0) }
        case .fp16: list(tensor, UInt16.self, &output) { $1.append(number: HalfPrecision.fp16($0)) }
        case .bf16: list(tensor, UInt16.self, &output) { $1.append(number: HalfPrecision.bf16($0)) }
        case .bytes: try strings(tensor, &output)
        }
    }

    private static func list<Element: BitwiseCopyable>(
        _ tensor: Tensor, _ type: Element.Type, _ output: inout JSONOutput,
        _ write: (Element, inout JSONOutput) -> Void
    ) {
        tensor.data.withUnsafeBytes { bytes in
            let count = bytes.count / MemoryLayout<Element>.stride
            output.reserve(count * 4)
            for index in 0..<count {
                if index > 0 { output.append(",") }
                write(
                    bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Element>.stride, as: Element.self), &output
                )
            }
        }
    }

    private static func strings(_ tensor: Tensor, _ output: inout JSONOutput) throws(HalcyonError) {
        var isFirst = true
        try BytesElements.forEach(of: tensor) { element throws(HalcyonError) in
            if !isFirst { output.append(",") }
            isFirst = false
            guard let text = String(utf8: element.bindMemory(to: UInt8.self)) else {
                throw HalcyonError(
                    .unsupported,
                    "output '\(tensor.name)' has an element that is not UTF-8: ask for it as binary data")
            }
            output.append(string: text)
        }
    }
}
