package import Halcyon
internal import JSONText
package import Tensors

/// The body of a request to `generate` and `generate_stream`: a flat object whose members are the model's inputs.
package enum GenerateRequest {
    /// - Throws: `invalidArgument` for a member that can't be the input of that name.
    package static func read(
        _ body: Buffer, metadata: ModelMetadata, maxBatchSize: Int, version: Int64?, limits: ProtocolLimits
    ) throws(HalcyonError) -> InferenceCall {
        var id = ""
        var parameters = RequestParameters()
        var inputs: [Tensor] = []
        do {
            try body.withUnsafeBytes { text in
                var scanner = JSONScanner(text, maximumDepth: limits.jsonDepth)
                try scanner.object { scanner, name in
                    if let input = metadata.inputs.first(where: { $0.name == name }) {
                        inputs.append(try tensor(try scanner.value(), input, hasBatch: maxBatchSize > 0))
                    } else if name == "id" {
                        id = try scanner.kind() == .string ? scanner.string() : scanner.value().compact
                    } else {
                        try set(name, try scanner.value(), &parameters)
                    }
                }
                try scanner.end()
            }
        } catch let error as JSONError {
            throw HalcyonError(.invalidArgument, "failed to parse the request JSON buffer: \(error)")
        } catch {
            throw HalcyonError(wrapping: error)
        }
        var request = InferenceRequest(
            modelName: metadata.name, modelVersion: version, id: id, inputs: inputs, priority: parameters.priority,
            timeoutMicroseconds: parameters.timeoutMicroseconds)
        request.sequence = parameters.sequence
        return InferenceCall(request: request, outputs: [])
    }

    /// What is no input is a parameter, by itself or in an object.
    private static func set(_ name: String, _ value: JSONValue, _ parameters: inout RequestParameters) throws {
        switch value {
        case .bool(let flag): try parameters.set(name, .bool(flag), from: .http)
        case .integer(let number): try parameters.set(name, .integer(number), from: .http)
        case .unsigned(let number): try parameters.set(name, .unsigned(number), from: .http)
        case .number(let number): try parameters.set(name, .number(number), from: .http)
        case .string(let text): try parameters.set(name, .string(text), from: .http)
        case .object(let members) where name == "parameters":
            for member in members { try set(member.key, member.value, &parameters) }
        case .null, .array, .object:
            throw HalcyonError(
                .invalidArgument, "'\(name)' is no input of the model, and a parameter is a single value")
        }
    }

    private static func tensor(
        _ value: JSONValue, _ input: ModelMetadata.TensorMetadata, hasBatch: Bool
    ) throws -> Tensor {
        let elements: [JSONValue] = if case .array(let list) = value { list } else { [value] }
        // One request is one item, and a list is its elements in order.
        let inner = input.shape.dimensions.dropFirst(hasBatch ? 1 : 0)
        var dimensions = Array(inner)
        let fixed = try Shape(dimensions.filter { $0 >= 0 }).elementCount()
        guard dimensions.filter({ $0 < 0 }).count <= 1, fixed > 0, elements.count % fixed == 0 else {
            throw HalcyonError(
                .invalidArgument,
                "\(elements.count) values do not make the input '\(input.name)' of shape \(input.shape)")
        }
        if let open = dimensions.firstIndex(where: { $0 < 0 }) { dimensions[open] = elements.count / fixed }
        if hasBatch { dimensions.insert(1, at: 0) }
        let shape = Shape(dimensions)
        let text = JSONValue.array(elements).compact
        var copy = Array(text.utf8)
        return try copy.withUnsafeMutableBytes { bytes in
            var scanner = JSONScanner(UnsafeRawBufferPointer(bytes), maximumDepth: 2)
            let reader = TensorJSONReader(name: input.name, elementType: input.elementType, shape: shape)
            return Tensor(
                unchecked: input.name, elementType: input.elementType, shape: shape, data: try reader.read(&scanner))
        }
    }
}
