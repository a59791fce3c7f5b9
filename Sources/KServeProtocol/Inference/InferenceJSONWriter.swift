internal import JSONText
internal import ModelRuntime
package import Tensors

/// Writes an answer: JSON, and binary data behind it where outputs are to be binary.
package struct InferenceJSONWriter {
    /// The JSON, with nothing behind it where `binary` is empty.
    package let json: [UInt8]
    /// The bytes behind the JSON, in order; without a copy.
    package let binary: [TensorBuffer]

    /// - Throws: `unsupported` for text that JSON can't hold.
    package init(_ result: InferenceResult) throws(HalcyonError) {
        var output = JSONOutput()
        output.reserve(Self.usualSize)
        var binary: [TensorBuffer] = []
        Self.writeHead(of: result, to: &output)
        if !result.parameters.isEmpty {
            output.append(",\"parameters\":{")
            Self.write(result.parameters, to: &output)
            output.append("}")
        }
        output.append(",\"outputs\":[")
        var isFirst = true
        for each in result.outputs {
            if !isFirst { output.append(",") }
            isFirst = false
            try Self.write(each, to: &output, binary: &binary)
        }
        output.append("]}")
        json = output.bytes
        self.binary = binary
    }

    /// Bytes of most answers, without their values.
    private static let usualSize = 400

    /// What an answer begins with: the request's id, and the model.
    static func writeHead(of result: InferenceResult, to output: inout JSONOutput) {
        output.append("{")
        if !result.id.isEmpty {
            output.append("\"id\":")
            output.append(string: result.id)
            output.append(",")
        }
        output.append("\"model_name\":")
        output.append(string: result.modelName)
        output.append(",\"model_version\":\"")
        output.append(integer: result.modelVersion)
        output.append("\"")
    }

    /// Members of an object, without its braces.
    static func write(_ parameters: [InferenceParameter], to output: inout JSONOutput) {
        for (index, parameter) in parameters.enumerated() {
            if index > 0 { output.append(",") }
            output.append(string: parameter.name)
            output.append(":")
            switch parameter.value {
            case .bool(let flag): flag ? output.append("true") : output.append("false")
            case .integer(let number): output.append(integer: number)
            case .unsigned(let number): output.append(integer: number)
            case .number(let number): output.append(number: number)
            case .string(let text): output.append(string: text)
            }
        }
    }

    private static func write(
        _ each: InferenceResult.Output, to output: inout JSONOutput, binary: inout [TensorBuffer]
    ) throws(HalcyonError) {
        output.append("{\"name\":")
        output.append(string: each.tensor.name)
        output.append(",\"datatype\":")
        output.append(string: each.tensor.elementType.rawValue)
        output.append(",\"shape\":[")
        for (index, dimension) in each.tensor.shape.dimensions.enumerated() {
            if index > 0 { output.append(",") }
            output.append(integer: dimension)
        }
        output.append("]")
        if let region = each.region {
            output.append(",\"parameters\":{\"shared_memory_region\":")
            output.append(string: region.name)
            if region.offset > 0 {
                output.append(",\"shared_memory_offset\":")
                output.append(integer: region.offset)
            }
            output.append(",\"shared_memory_byte_size\":")
            output.append(integer: region.byteCount)
            output.append("}")
        } else if each.isBinary {
            output.append(",\"parameters\":{\"binary_data_size\":")
            output.append(integer: each.tensor.data.byteCount)
            output.append("}")
            binary.append(each.tensor.data)
        } else {
            output.append(",\"data\":")
            try TensorJSONWriter.write(each.tensor, to: &output)
        }
        output.append("}")
    }
}
