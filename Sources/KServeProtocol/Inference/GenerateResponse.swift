internal import JSONText
package import Tensors

/// The answer of `generate`: a flat object whose members are the model's outputs, a single value where there is one.
package enum GenerateResponse {
    /// - Throws: `unsupported` for text that JSON can't hold.
    package static func json(_ result: InferenceResult) throws(HalcyonError) -> [UInt8] {
        var output = JSONOutput()
        InferenceJSONWriter.writeHead(of: result, to: &output)
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
