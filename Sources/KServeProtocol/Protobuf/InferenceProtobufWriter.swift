internal import ModelRuntime
package import Tensors

/// Writes `ModelInferResponse`, and `ModelStreamInferResponse` around it; values go behind as they are.
package struct InferenceProtobufWriter {
    /// A message in pieces, in order.
    package struct Message: Sendable {
        package var parts: [Part] = []
        package var byteCount = 0

        fileprivate init() {}

        /// A message that is serialized already.
        package init(_ bytes: [UInt8]) { append(bytes) }

        package enum Part: Sendable {
            case bytes([UInt8])
            case tensor(TensorBuffer)
        }

        fileprivate mutating func append(_ bytes: [UInt8]) {
            parts.append(.bytes(bytes))
            byteCount += bytes.count
        }

        fileprivate mutating func append(_ buffer: TensorBuffer) {
            parts.append(.tensor(buffer))
            byteCount += buffer.byteCount
        }
    }

    /// - Parameter isFinal: what to say of whether more responses follow; `nil` to say nothing.
    package static func message(_ result: InferenceResult, isFinal: Bool? = nil) -> Message {
        var writer = ProtobufWriter()
        writer.string(1, result.modelName)
        writer.string(2, String(result.modelVersion))
        writer.string(3, result.id)
        if let isFinal { writer.message(4, entry("triton_final_response") { $0.bool(1, isFinal) }) }
        for parameter in result.parameters { writer.message(4, entry(parameter)) }
        for output in result.outputs { writer.message(5, tensor(output)) }
        var message = Message()
        var pending = writer
        for output in result.outputs {
            let data = output.region == nil ? output.tensor.data : TensorBuffer(copying: [UInt8]())
            pending.lengthHeader(6, data.byteCount)
            message.append(pending.bytes)
            message.append(data)
            pending = ProtobufWriter()
        }
        if !pending.bytes.isEmpty { message.append(pending.bytes) }
        return message
    }

    /// One response of a stream.
    package static func stream(_ message: Message) -> Message {
        var header = ProtobufWriter()
        header.lengthHeader(2, message.byteCount)
        var stream = Message()
        stream.append(header.bytes)
        stream.parts += message.parts
        stream.byteCount += message.byteCount
        return stream
    }

    /// One error of a stream, which goes on behind it.
    package static func streamError(_ error: String, id: String, isFinal: Bool?) -> Message {
        var response = ProtobufWriter()
        response.string(3, id)
        if let isFinal { response.message(4, entry("triton_final_response") { $0.bool(1, isFinal) }) }
        var writer = ProtobufWriter()
        writer.string(1, error)
        if !response.bytes.isEmpty { writer.message(2, response) }
        var message = Message()
        message.append(writer.bytes)
        return message
    }

    private static func tensor(_ output: InferenceResult.Output) -> ProtobufWriter {
        var writer = ProtobufWriter()
        writer.string(1, output.tensor.name)
        writer.string(2, output.tensor.elementType.rawValue)
        writer.packed(3, output.tensor.shape.dimensions)
        if let region = output.region {
            writer.message(4, entry("shared_memory_region") { $0.string(3, region.name) })
            writer.message(4, entry("shared_memory_byte_size") { $0.integer(2, Int64(region.byteCount)) })
            if region.offset > 0 {
                writer.message(4, entry("shared_memory_offset") { $0.integer(2, Int64(region.offset)) })
            }
        }
        return writer
    }

    private static func entry(_ parameter: InferenceParameter) -> ProtobufWriter {
        entry(parameter.name) { writer in
            switch parameter.value {
            case .bool(let flag): writer.bool(1, flag)
            case .integer(let number): writer.integer(2, number)
            case .string(let text): writer.string(3, text)
            case .number(let number): writer.double(4, number)
            case .unsigned(let number): writer.unsigned(5, number)
            }
        }
    }

    /// An entry of a map of parameters.
    private static func entry(_ key: String, _ value: (inout ProtobufWriter) -> Void) -> ProtobufWriter {
        var parameter = ProtobufWriter()
        value(&parameter)
        var entry = ProtobufWriter()
        entry.string(1, key)
        entry.message(2, parameter)
        return entry
    }
}
