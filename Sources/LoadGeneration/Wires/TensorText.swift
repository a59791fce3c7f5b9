internal import JSONText
internal import Tensors

/// A tensor's elements as a JSON list.
enum TensorText {
    static func append(_ tensor: Tensor, to json: inout JSONOutput) {
        json.append("[")
        tensor.data.withUnsafeBytes { bytes in
            if tensor.elementType == .bytes {
                appendTexts(bytes, to: &json)
            } else {
                let size = tensor.elementType.byteSize ?? 1
                for index in 0..<bytes.count / size {
                    if index > 0 { json.append(",") }
                    append(bytes, index * size, tensor.elementType, to: &json)
                }
            }
        }
        json.append("]")
    }

    private static func appendTexts(_ bytes: UnsafeRawBufferPointer, to json: inout JSONOutput) {
        var offset = 0
        while offset + 4 <= bytes.count {
            let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            guard length <= bytes.count - offset - 4 else { return }
            if offset > 0 { json.append(",") }
            json.append(string: String(decoding: bytes[(offset + 4)..<(offset + 4 + length)], as: UTF8.self))
            offset += 4 + length
        }
    }

    private static func append(
        _ bytes: UnsafeRawBufferPointer, _ offset: Int, _ type: ElementType, to json: inout JSONOutput
    ) {
        func load<Value: BitwiseCopyable>(_ value: Value.Type) -> Value {
            bytes.loadUnaligned(fromByteOffset: offset, as: value)
        }
        switch type {
        case .bool: json.append(load(UInt8.self) == 0 ? "false" : "true")
        case .uint8: json.append(integer: load(UInt8.self))
        case .int8: json.append(integer: load(Int8.self))
        case .uint16: json.append(integer: load(UInt16.self))
        case .int16: json.append(integer: load(Int16.self))
        case .uint32: json.append(integer: load(UInt32.self))
        case .int32: json.append(integer: load(Int32.self))
        case .uint64: json.append(integer: load(UInt64.self))
        case .int64: json.append(integer: load(Int64.self))
        case .fp32: json.append(number: load(Float.self))
        case .fp64: json.append(number: load(Double.self))
        case .bf16: json.append(number: Float(bitPattern: UInt32(load(UInt16.self)) << 16))
        // The protocol has no numbers for halves: such tensors go as bytes.
        case .fp16, .bytes: break
        }
    }
}
