internal import JSONText
internal import ModelRuntime
internal import Tensors

/// Traces in Triton's JSON, as its tools read them.
enum TraceJSON {
    /// The entries of one trace, members of the file's one list.
    static func text(_ record: TraceRecord) -> [UInt8] {
        var output = JSONOutput()
        for part in record.parts {
            let parent = part.parent.map { record.parts[$0].id }
            for entry in part.entries {
                if !output.bytes.isEmpty { output.append(",") }
                append(entry, of: part.id, parent: parent, to: &output)
            }
        }
        return output.bytes
    }

    private static func append(
        _ entry: TraceRecord.Entry, of id: UInt64, parent: UInt64?, to output: inout JSONOutput
    ) {
        output.append("{\"id\":")
        output.append(integer: id)
        switch entry {
        case .model(let model):
            output.append(",\"model_name\":")
            output.append(string: model.name)
            output.append(",\"model_version\":")
            output.append(integer: model.version)
            if !model.requestID.isEmpty {
                output.append(",\"request_id\":")
                output.append(string: model.requestID)
            }
            if let parent {
                output.append(",\"parent_id\":")
                output.append(integer: parent)
            }
        case .point(let point, let time):
            output.append(",\"timestamps\":[{\"name\":")
            output.append(string: point.rawValue)
            output.append(",\"ns\":")
            output.append(integer: time)
            output.append("}]")
        case .tensor(let role, let tensor, _):
            output.append(",\"activity\":")
            output.append(string: role.rawValue)
            output.append(",\"tensor\":")
            output.append(json: Self.tensor(tensor)[...])
        }
        output.append("}")
    }

    /// A tensor with its values as one text, separated by commas.
    static func tensor(_ tensor: Tensor) -> [UInt8] {
        var output = JSONOutput()
        output.append("{\"name\":")
        output.append(string: tensor.name)
        output.append(",\"data\":")
        output.append(string: values(tensor))
        output.append(",\"shape\":")
        output.append(string: tensor.shape.dimensions.map(String.init).joined(separator: ","))
        output.append(",\"dtype\":")
        output.append(string: tensor.elementType.rawValue)
        output.append("}")
        return output.bytes
    }

    /// Text that JSON can't hold is left out, as it is only for people to see.
    private static func values(_ tensor: Tensor) -> String {
        var output = JSONOutput()
        do {
            try TensorJSONWriter.write(tensor, to: &output)
        } catch {
            return ""
        }
        return String(decoding: output.bytes.dropFirst().dropLast(), as: UTF8.self)
    }
}
