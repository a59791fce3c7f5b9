package import ModelConfigurations
package import Scheduling
package import Tensors

/// Checks requests against a model's configuration. The sentences of its errors are Triton's.
package struct RequestValidator: Sendable {
    /// What a valid request comes to.
    package struct Validated {
        /// The inputs in the configuration's order.
        package var inputs: [Tensor]
        /// Items that the request brings; 1 where the model does not batch.
        package var batchSize: Int
        package var shape: ShapeKey
    }

    private let configuration: ModelConfiguration
    private let hasOpenDimensions: Bool
    private let hasOptionalInputs: Bool
    private let reshapes: Bool
    private let takesDeviceMemory: Bool
    private let takesEmptyTensors: Bool
    /// Bytes of an input's texts that may be copied from a GPU: their shape does not say how long they are.
    static let deviceTextLimit = 64 << 20

    /// - Parameters:
    ///   - takesDeviceMemory: whether inputs may stay in a GPU's memory. Texts may not.
    ///   - takesEmptyTensors: whether inputs may have no elements where the configuration says neither yes nor no. An
    ///     open
    ///     dimension alone does not ask for them; one of 0 does.
    package init(
        _ configuration: ModelConfiguration, takesDeviceMemory: Bool = false, takesEmptyTensors: Bool = true
    ) {
        self.configuration = configuration
        self.takesDeviceMemory = takesDeviceMemory
        let declared = try? ServerParameter.emptyTensors.flag(of: configuration)
        self.takesEmptyTensors = (declared ?? nil) ?? takesEmptyTensors
        hasOpenDimensions = configuration.inputs.contains(where: { $0.dimensions.isVariable && !$0.allowsRaggedBatch })
        hasOptionalInputs = configuration.inputs.contains(where: \.isOptional)
        reshapes = configuration.inputs.contains(where: { $0.reshape != nil })
    }

    /// Checks all of a request. Errors name it, except those about outputs: Triton names no request there.
    ///
    /// - Throws: `invalidArgument` that names the input or output, what was expected and what came.
    func validated(_ request: InferenceRequest) throws(HalcyonError) -> Validated {
        try checkOutputs(request)
        do {
            return try validate(request)
        } catch {
            throw error.prefixed(request.errorPrefix)
        }
    }

    /// - Throws: `invalidArgument` that names the input, what was expected and what came.
    package func validate(_ request: InferenceRequest) throws(HalcyonError) -> Validated {
        var inputs = try orderedInputs(request)
        let expected = hasOptionalInputs ? present(inputs) : configuration.inputs
        let batchSize = try batchSize(of: inputs)
        // All that can be said without reading a byte comes first: what is refused is not copied from a GPU.
        for index in inputs.indices { try check(inputs[index], against: expected[index]) }
        for index in inputs.indices where !inputs[index].data.placement.isHostAccessible {
            guard !takesDeviceMemory || inputs[index].elementType == .bytes else { continue }
            inputs[index].data = try inputs[index].data.onHost()
        }
        for input in inputs where input.elementType == .bytes { try checkElementCount(input) }
        let shape = shapeKey(inputs, expected)
        if reshapes { for index in inputs.indices { reshape(&inputs[index], expected[index]) } }
        return Validated(inputs: inputs, batchSize: batchSize, shape: shape)
    }

    /// What the configuration says of each of the inputs.
    private func present(_ inputs: [Tensor]) -> [TensorConfiguration] {
        configuration.inputs.filter { expected in inputs.contains { $0.name == expected.name } }
    }

    /// Gives an input the shape that the model itself has.
    private func reshape(_ input: inout Tensor, _ expected: TensorConfiguration) {
        guard let reshape = expected.reshape else { return }
        let batch = input.shape.dimensions.prefix(configuration.maxBatchSize > 0 ? 1 : 0)
        input.shape = TensorShape(
            batch
                + Reshape.apply(
                    Array(input.shape.dimensions.dropFirst(batch.count)), from: expected.dimensions, to: reshape))
    }

    /// - Throws: `invalidArgument` for an output that the model does not have.
    package func checkOutputs(_ request: InferenceRequest) throws(HalcyonError) {
        for name in request.requestedOutputs where !configuration.outputs.contains(where: { $0.name == name }) {
            throw HalcyonError(
                .invalidArgument, "unexpected inference output '\(name)' for model '\(configuration.name)'")
        }
        // All names are the model's by now: more of them than it has outputs name one twice, and few are quickly
        // compared.
        let names = request.requestedOutputs
        for (index, name) in names.enumerated() where names[..<index].contains(name) {
            throw HalcyonError(
                .invalidArgument, "inference output '\(name)' of model '\(configuration.name)' is asked for twice")
        }
    }

    private func orderedInputs(_ request: InferenceRequest) throws(HalcyonError) -> [Tensor] {
        if isInOrder(request.inputs) { return request.inputs }
        let expected = configuration.inputs
        if request.inputs.count == expected.count {
            let ordered = expected.compactMap { input in request.inputs.first(where: { $0.name == input.name }) }
            if ordered.count == expected.count { return ordered }
        }
        let names = Set(request.inputs.map(\.name))
        if names.count < request.inputs.count {
            var seen: Set<String> = []
            if let twice = request.inputs.first(where: { !seen.insert($0.name).inserted }) {
                throw HalcyonError(.invalidArgument, "input '\(twice.name)' already exists in request")
            }
        }
        let required = expected.filter { !$0.isOptional }
        if hasOptionalInputs, names.count == request.inputs.count, names.isSubset(of: expected.map(\.name)),
            required.allSatisfy({ names.contains($0.name) })
        {
            return expected.compactMap { input in request.inputs.first(where: { $0.name == input.name }) }
        }
        let missing = required.map(\.name).filter { !names.contains($0) }
        if (required.count...expected.count).contains(request.inputs.count),
            let unknown = request.inputs.first(where: { input in !expected.contains { $0.name == input.name } })
        {
            throw HalcyonError(
                .invalidArgument,
                "unexpected inference input '\(unknown.name)' for model '\(configuration.name)'. Got input(s) "
                    + "\(quoted(request.inputs.map(\.name))), but missing required input(s) \(quoted(missing))"
                    + NameSuggestion.suffix(for: unknown.name, among: expected.map(\.name)))
        }
        let count =
            hasOptionalInputs
            ? "number of inputs between \(required.count) and \(expected.count)" : "\(expected.count) inputs"
        throw HalcyonError(
            .invalidArgument,
            "expected \(count) but got \(request.inputs.count) inputs for model "
                + "'\(configuration.name)'. Got input(s) \(quoted(request.inputs.map(\.name))), but missing required "
                + "input(s) \(quoted(missing)). Please provide all required input(s).")
    }

    /// Whether these are the configuration's inputs, in its order: what nearly all requests bring, and so without a
    /// copy of what the configuration says.
    private func isInOrder(_ inputs: [Tensor]) -> Bool {
        guard inputs.count == configuration.inputs.count else { return false }
        for index in inputs.indices where inputs[index].name != configuration.inputs[index].name { return false }
        return true
    }

    private func quoted(_ names: [String]) -> String { "[" + names.map { "'\($0)'" }.joined(separator: ",") + "]" }

    private func batchSize(of inputs: [Tensor]) throws(HalcyonError) -> Int {
        guard configuration.maxBatchSize > 0 else { return 1 }
        var batchSize: Int?
        for input in inputs {
            guard let size = input.shape.dimensions.first else {
                throw HalcyonError(
                    .invalidArgument,
                    "input '\(input.name)' has no shape but model requires batch dimension for "
                        + "'\(configuration.name)', whose max_batch_size is \(configuration.maxBatchSize)")
            }
            if let batchSize, batchSize != size {
                throw HalcyonError(
                    .invalidArgument,
                    "input '\(input.name)' batch size does not match other inputs for '\(configuration.name)'")
            }
            batchSize = size
        }
        let size = batchSize ?? 1
        guard size >= 1 else {
            throw HalcyonError(
                .invalidArgument, "inference request batch-size must be >= 1 for '\(configuration.name)'")
        }
        guard size <= configuration.maxBatchSize else {
            throw HalcyonError(
                .invalidArgument,
                "inference request batch-size must be <= \(configuration.maxBatchSize) for '\(configuration.name)'")
        }
        return size
    }

    private func check(_ input: Tensor, against expected: TensorConfiguration) throws(HalcyonError) {
        guard input.elementType == expected.elementType else {
            throw HalcyonError(
                .invalidArgument,
                "inference input '\(input.name)' data-type is '\(input.elementType.rawValue)', but model "
                    + "'\(configuration.name)' expects '\(expected.elementType.rawValue)'")
        }
        let skipped = configuration.maxBatchSize > 0 ? 1 : 0
        // A model's single number has one dimension for clients, and they may know it by the shape that the model gives
        // it.
        let isBare = input.shape.rank <= skipped && expected.reshape == [] && expected.dimensions == [1]
        guard isBare || Self.fits(input.shape, after: skipped, expected.dimensions) else {
            let complete = expected.completeShape(maxBatchSize: configuration.maxBatchSize)
            let note =
                configuration.maxBatchSize > 0
                ? " NOTE: Setting a non-zero max_batch_size in the model config requires a batch dimension to be "
                    + "prepended to each input shape. If you want to specify the full shape including the batch dim in "
                    + "your input dims config, try setting max_batch_size to zero. See the model configuration docs "
                    + "for more info on max_batch_size." : ""
            throw HalcyonError(
                .invalidArgument,
                "unexpected shape for input '\(input.name)' for model '\(configuration.name)'. Expected \(complete), "
                    + "got \(input.shape).\(note)")
        }
        if !takesEmptyTensors { try checkElements(input, expected, skipped: skipped) }
        try checkByteCount(input)
    }

    /// - Parameter skipped: dimensions in front that the configuration does not speak of.
    private static func fits(_ shape: TensorShape, after skipped: Int, _ expected: TensorShape) -> Bool {
        let (sizes, expected) = (shape.dimensions, expected.dimensions)
        guard max(0, sizes.count - skipped) == expected.count else { return false }
        for (index, wanted) in expected.enumerated() {
            let size = sizes[index + skipped]
            guard wanted == TensorShape.variable ? size >= 0 : size == wanted else { return false }
        }
        return true
    }

    private func checkElements(
        _ input: Tensor, _ expected: TensorConfiguration, skipped: Int
    ) throws(HalcyonError) {
        for (size, declared) in zip(input.shape.dimensions.dropFirst(skipped), expected.dimensions.dimensions)
        where size == 0 && declared != 0 {
            throw HalcyonError(
                .invalidArgument,
                "input '\(input.name)' of shape \(input.shape) for model '\(configuration.name)' has no elements, "
                    + "and the model was not declared to take that: parameters { key: "
                    + "\"\(ServerParameter.emptyTensors.rawValue)\" value { string_value: \"true\" } } in "
                    + "config.pbtxt allows it")
        }
    }

    /// A tensor can be changed after it was made, so what its shape promises is looked at again.
    private func checkByteCount(_ input: Tensor) throws(HalcyonError) {
        guard input.elementType != .bytes else {
            guard input.data.placement.isHostAccessible || input.data.byteCount <= Self.deviceTextLimit else {
                throw HalcyonError(
                    .invalidArgument,
                    "input '\(input.name)' for model '\(configuration.name)' has texts in a GPU's memory, which are "
                        + "copied from there: expected at most \(Self.deviceTextLimit) bytes, got "
                        + "\(input.data.byteCount)")
            }
            return
        }
        let expected = try input.shape.byteCount(of: input.elementType)
        guard input.data.byteCount == expected else {
            throw HalcyonError(
                .invalidArgument,
                "input byte size mismatch for input '\(input.name)' for model '\(configuration.name)'. Expected "
                    + "\(expected), got \(input.data.byteCount)")
        }
    }

    /// Precondition: the processor can read the texts.
    private func checkElementCount(_ input: Tensor) throws(HalcyonError) {
        let expected = try input.shape.elementCount()
        let count: Int
        do throws(HalcyonError) {
            count = try BytesElements.count(in: input)
        } catch {
            throw error.prefixed(
                "incomplete string data for inference input '\(input.name)' for model '\(configuration.name)': ")
        }
        if count > expected {
            throw HalcyonError(
                .invalidArgument,
                "unexpected number of string elements \(expected + 1) for inference input '\(input.name)' for model "
                    + "'\(configuration.name)', expecting \(expected)\(count > expected + 1 ? ", got \(count)" : "")")
        }
        guard count == expected else {
            throw HalcyonError(
                .invalidArgument,
                "expected \(expected) string elements for inference input '\(input.name)' for model "
                    + "'\(configuration.name)', got \(count)")
        }
    }

    /// Requests that leave out different inputs share no batch either.
    private func shapeKey(_ inputs: [Tensor], _ expected: [TensorConfiguration]) -> ShapeKey {
        guard hasOpenDimensions || hasOptionalInputs else { return .fixed }
        var open: [Int] = []
        let skipped = configuration.maxBatchSize > 0 ? 1 : 0
        if hasOptionalInputs {
            open += configuration.inputs.map { input in expected.contains { $0.name == input.name } ? 1 : 0 }
        }
        for (input, expected) in zip(inputs, expected) where !expected.allowsRaggedBatch {
            for (size, wanted) in zip(input.shape.dimensions.dropFirst(skipped), expected.dimensions.dimensions)
            where wanted == TensorShape.variable { open.append(size) }
        }
        return ShapeKey(open)
    }
}
