internal import JSONText
package import Tensors

/// The answer of `generate`: a flat object whose members are the model's outputs, a single value where there is one.
package enum GenerateResponse {
    /// - Throws: `unsupported` for text that JSON can't hold.
    package static func json(_ result: InferenceResult) throws(HalcyonError) -> [UInt8] {
        var output = JSONOutput()
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
        if !result.parameters.isEmpty {
            output.append(",")
            InferenceJSONWriter.write(result.parameters, to: &output)
        }
        for each in result.outputs {
            output.append(",")
            output.append(string: each.tensor.name)
            output.append(":")
            let isSingle = try each.tensor.shape.elementCount() == 1
            try TensorJSONWriter.write(each.tensor, isList: !isSingle, to: &output)
        }
        output.append("}")
        return output.bytes
    }
}
