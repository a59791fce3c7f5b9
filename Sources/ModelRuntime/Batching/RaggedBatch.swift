internal import ModelConfigurations
internal import Tensors

/// What is different about a model whose requests may share a batch although their inputs have different shapes.
///
/// Of such an input the model gets the elements of all requests one after the other, in one dimension; other inputs,
/// which are made here, tell it whose they are; and outputs of the same kind are cut up again.
struct RaggedBatch: Sendable {
    private let raggedInputs: Set<String>
    private let batchInputs: [BatchInput]
    /// The source of each output whose rows have no common size.
    private let outputSources: [String: String]
    private let outputDimensions: [String: TensorShape]

    /// `nil` for a model that needs nothing of it.
    ///
    /// - Parameter outputsLikeInputs: outputs that have the shape of a ragged input, by name.
    init?(_ configuration: ModelConfiguration, outputsLikeInputs: [String: String] = [:]) {
        raggedInputs = Set(configuration.inputs.filter(\.allowsRaggedBatch).map(\.name))
        batchInputs = configuration.batchInputs
        var sources = outputsLikeInputs
        for output in configuration.batchOutputs {
            for name in output.targetNames { sources[name] = output.sourceInput }
        }
        outputSources = sources
        outputDimensions = Dictionary(
            configuration.outputs.map { ($0.name, $0.dimensions) }, uniquingKeysWith: { first, _ in first })
        if raggedInputs.isEmpty && batchInputs.isEmpty && outputSources.isEmpty { return nil }
    }

    // MARK: Inputs

    /// Whether the elements of that input stand in one dimension.
    func isRagged(_ name: String) -> Bool { raggedInputs.contains(name) }

    /// A single request's inputs, as a batch.
    func flattened(_ inputs: [Tensor]) throws(HalcyonError) -> [Tensor] {
        var flattened = inputs
        for index in flattened.indices where isRagged(flattened[index].name) {
            flattened[index].shape = TensorShape([try flattened[index].shape.elementCount()])
        }
        return flattened
    }

    /// The inputs that are made for a batch of these requests.
    func made(for requests: [[Tensor]]) throws(HalcyonError) -> [Tensor] {
        var made: [Tensor] = []
        for input in batchInputs {
            var shapes: [TensorShape] = []
            for request in requests {
                guard let source = request.first(where: { $0.name == input.sourceInput }) else {
                    throw HalcyonError(.internal, "a request has no input '\(input.sourceInput)' to make others from")
                }
                shapes.append(source.shape)
            }
            let (values, shape) = try Self.contents(input.kind, shapes)
            let data = try Self.data(values, input.elementType)
            for name in input.targetNames {
                made.append(try Tensor(name: name, elementType: input.elementType, shape: shape, data: data))
            }
        }
        return made
    }

    private static func contents(_ kind: BatchInput.Kind, _ shapes: [TensorShape]) throws(HalcyonError) -> (
        [Int], TensorShape
    ) {
        var counts: [Int] = []
        for shape in shapes { counts.append(try shape.elementCount()) }
        var sum = 0
        let sums = counts.map { count in
            sum &+= count
            return sum
        }
        switch kind {
        case .elementCount: return (counts, [counts.count])
        case .accumulatedElementCount: return (sums, [sums.count])
        case .accumulatedElementCountWithZero: return ([0] + sums, [sums.count + 1])
        case .maxElementCountAsShape:
            let largest = counts.max() ?? 0
            return ([Int](repeating: 0, count: largest), [largest])
        case .itemShape, .itemShapeFlatten:
            var items: [Int] = []
            var count = 0
            for shape in shapes {
                let rows = shape.dimensions.first ?? 0
                count += rows
                for _ in 0..<rows { items += shape.dimensions.dropFirst() }
            }
            let rank = max(0, (shapes.first?.rank ?? 1) - 1)
            return (items, kind == .itemShape ? [count, rank] : [items.count])
        }
    }

    private static func data(_ values: [Int], _ type: ElementType) throws(HalcyonError) -> TensorBuffer {
        if type == .fp32 { return values.map { Float($0) }.withUnsafeBytes { TensorBuffer(copying: $0) } }
        var narrow: [Int32] = []
        for value in values {
            guard let exact = Int32(exactly: value) else {
                throw HalcyonError(.invalidArgument, "the batch has \(value) elements, more than an INT32 can say")
            }
            narrow.append(exact)
        }
        return narrow.withUnsafeBytes { TensorBuffer(copying: $0) }
    }

    // MARK: Outputs

    func isScattered(_ name: String) -> Bool { outputSources[name] != nil }

    /// Each request's part of an output, by the shapes of the requests' inputs.
    ///
    /// - Throws: `internal` where the output has more or fewer elements than the requests are due.
    func parts(of output: Tensor, requests: [[Tensor]]) throws(HalcyonError) -> [Tensor] {
        guard let source = outputSources[output.name], let dimensions = outputDimensions[output.name] else { return [] }
        var parts: [Tensor] = []
        var offset = 0
        for request in requests {
            guard let input = request.first(where: { $0.name == source }) else {
                throw HalcyonError(
                    .internal, "a request has no input '\(source)', after whose shape output '\(output.name)' goes")
            }
            let shape = Self.shape(dimensions, like: input.shape)
            let start = offset
            if output.elementType == .bytes {
                offset = try BytesElements.offset(after: try shape.elementCount(), from: start, in: output)
            } else {
                let (end, overflow) = start.addingReportingOverflow(try shape.byteCount(of: output.elementType))
                guard !overflow, end <= output.data.byteCount else { throw Self.mismatch(output, source) }
                offset = end
            }
            parts.append(
                try Tensor(
                    name: output.name, elementType: output.elementType, shape: shape,
                    data: try output.data.slice(offset: start, byteCount: offset - start)))
        }
        guard offset == output.data.byteCount else { throw Self.mismatch(output, source) }
        return parts
    }

    private static func mismatch(_ output: Tensor, _ source: String) -> HalcyonError {
        HalcyonError(
            .internal,
            "output '\(output.name)' of shape \(output.shape) does not have as many elements as the shapes of input "
                + "'\(source)' ask for")
    }

    /// The shape of an output with the batch of an input, and the input's sizes where the output's are open.
    private static func shape(_ dimensions: TensorShape, like input: TensorShape) -> TensorShape {
        let sizes = Array(input.dimensions.dropFirst())
        return TensorShape(
            [input.dimensions.first ?? 1]
                + dimensions.dimensions.enumerated().map { index, size in
                    size == TensorShape.variable && index < sizes.count ? sizes[index] : size
                })
    }
}
