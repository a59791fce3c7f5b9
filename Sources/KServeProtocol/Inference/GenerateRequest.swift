package import Halcyon
internal import JSONText
internal import ModelConfigurations
package import Tensors

/// The body of a request to `generate` and `generate_stream`: a flat object whose members are the model's inputs.
package enum GenerateRequest {
    /// - Throws: `invalidArgument` for a member that can't be the input of that name.
    package static func read(
        _ body: TensorBuffer, for model: ModelInterface, limits: ProtocolLimits, budget: ByteBudget
    ) throws(HalcyonError) -> InferenceCall {
        var id = ""
        var parameters = RequestParameters()
        var inputs: [Tensor] = []
        do {
            try body.withUnsafeBytes { text in
                var scanner = JSONScanner(text, limits: limits.documentText)
                var members = 0
                try scanner.object { scanner, name in
                    try ProtocolLimits.checkParameters(members)
                    members += 1
                    if let input = model.inputs.first(where: { $0.name == name }) {
                        inputs.append(try tensor(&scanner, input, of: model, budget))
                    } else if name == "id" {
                        id = try identifier(&scanner)
                    } else {
                        try set(name, try scanner.value(), &parameters)
                    }
                }
                try scanner.end()
            }
        } catch let error as JSONError {
            throw HalcyonError(.invalidArgument, "failed to parse the request JSON buffer: \(error)", cause: error)
        } catch {
            throw HalcyonError(wrapping: error)
        }
        var request = InferenceRequest(
            modelName: model.name, modelVersion: model.version, id: id, inputs: inputs, priority: parameters.priority,
            timeoutMicroseconds: parameters.timeoutMicroseconds)
        request.sequence = parameters.sequence
        request.parameters = parameters.forModel
        return InferenceCall(request: request, outputs: [])
    }

    private static func identifier(_ scanner: inout JSONScanner) throws -> String {
        let id =
            try scanner.kind() == .string
            ? scanner.string(longest: ProtocolLimits.textLength) : scanner.value().compact
        try ProtocolLimits.checkLength(id.utf8.count, "id")
        return id
    }

    /// What is no input is a parameter, by itself or in an object.
    private static func set(
        _ name: String, _ value: JSONValue, _ parameters: inout RequestParameters
    ) throws(HalcyonError) {
        if name == "parameters" {
            guard case .object = value else {
                throw HalcyonError(.invalidArgument, "Expected JSON object for keyword: 'parameters'")
            }
        }
        switch value {
        case .bool(let flag): try parameters.set(name, .bool(flag), from: .http)
        case .integer(let number): try parameters.set(name, .integer(number), from: .http)
        case .unsigned(let number): try parameters.set(name, .unsigned(number), from: .http)
        case .number(let number): try parameters.set(name, .number(number), from: .http)
        case .string(let text): try parameters.set(name, .string(text), from: .http)
        case .object(let members) where name == "parameters":
            do throws(HalcyonError) {
                for member in members { try set(member.key, member.value, &parameters) }
            } catch {
                throw error.prefixed("Converting keyword: 'parameters': ")
            }
        case .null, .array, .object:
            throw HalcyonError(
                .invalidArgument,
                "parameter '\(name)' has invalid type. It should be either 'int', 'bool', 'string' or 'double'. "
                    + "'\(name)' is no input of the model, and a parameter is a single value")
        }
    }

    private static func tensor(
        _ scanner: inout JSONScanner, _ input: TensorConfiguration, of model: ModelInterface, _ budget: ByteBudget
    ) throws -> Tensor {
        // One request is one item, and a list is its elements in order: they are counted first, and then read.
        let isList = try scanner.kind() == .array
        var count = 1
        if isList {
            count = 0
            var ahead = scanner
            try ahead.array { scanner in
                try scanner.skip()
                count += 1
            }
        }
        var dimensions = input.dimensions.dimensions
        let fixed = try TensorShape(dimensions.filter { $0 >= 0 }).elementCount()
        guard dimensions.filter({ $0 < 0 }).count <= 1, fixed > 0, count % fixed == 0 else {
            throw HalcyonError(
                .invalidArgument,
                "\(count) values do not make the input '\(input.name)' of shape \(model.shape(of: input))")
        }
        if let open = dimensions.firstIndex(where: { $0 < 0 }) { dimensions[open] = count / fixed }
        if model.maxBatchSize > 0 { dimensions.insert(1, at: 0) }
        let shape = TensorShape(dimensions)
        let reader = TensorJSONReader(
            name: input.name, elementType: input.elementType, shape: shape, budget: budget, isSingle: !isList)
        return Tensor(
            unchecked: input.name, elementType: input.elementType, shape: shape,
            data: try reader.read(&scanner))
    }
}
