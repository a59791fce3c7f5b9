internal import ModelConfiguration
internal import Tensors

/// Hands the outputs of a batch to its requests: each gets a slice of the batch's output memory, and nothing is copied.
struct Scatter {
    private let configuration: ModelConfiguration
    private let reshapes: Bool
    /// The outputs without rows of a common size.
    private let scattered: Set<String>

    init(_ configuration: ModelConfiguration) {
        self.configuration = configuration
        scattered = Set(configuration.batchOutputs.flatMap(\.targetNames))
        reshapes = configuration.outputs.contains { $0.reshape != nil }
    }

    /// Checks what an instance returned for a batch of that size.
    ///
    /// - Throws: `internal` that names the output, what the configuration promises and what came.
    func check(
        _ outputs: [Tensor], batchSize: Int, requested: Set<String>?, instance: String
    ) throws(HalcyonError) {
        for expected in configuration.outputs where requested?.contains(expected.name) ?? true {
            guard let output = outputs.first(where: { $0.name == expected.name }) else {
                throw fault(instance, "returned no output '\(expected.name)'")
            }
            guard output.elementType == expected.elementType else {
                throw fault(
                    instance,
                    "returned output '\(output.name)' as \(output.elementType.rawValue), expected "
                        + expected.elementType.rawValue)
            }
            let complete =
                configuration.maxBatchSize > 0
                ? expected.modelDimensions.prepending(batchSize) : expected.modelDimensions
            guard complete.accepts(output.shape) || scattered.contains(output.name) else {
                throw fault(instance, "returned output '\(output.name)' of shape \(output.shape), expected \(complete)")
            }
            if output.elementType != .bytes {
                let byteCount = try output.shape.byteCount(of: output.elementType)
                guard byteCount == output.data.byteCount else {
                    throw fault(
                        instance,
                        "returned output '\(output.name)' with \(output.data.byteCount) bytes, expected \(byteCount)")
                }
            }
        }
    }

    private func fault(_ instance: String, _ what: String) -> HalcyonError {
        HalcyonError(.internal, "instance '\(instance)' of model '\(configuration.name)' \(what)")
    }

    /// The outputs of the request whose items begin at row `row` of the batch.
    ///
    /// - Parameters:
    ///   - names: the outputs that the request wants, in its order; empty for all, in the configuration's order.
    ///   - isWhole: whether the request is the only one of the batch.
    ///   - parts: the request's parts of the outputs without rows of a common size.
    func outputs(
        _ outputs: [Tensor], names: [String], row: Int, rows: Int, isWhole: Bool, parts: [Tensor] = []
    ) throws(HalcyonError) -> [Tensor] {
        var result: [Tensor] = []
        result.reserveCapacity(outputs.count)
        for index in 0..<(names.isEmpty ? configuration.outputs.count : names.count) {
            let name = names.isEmpty ? configuration.outputs[index].name : names[index]
            if let part = parts.first(where: { $0.name == name }) {
                result.append(part)
            } else if let output = outputs.first(where: { $0.name == name }) {
                result.append(isWhole ? output : try slice(output, row: row, rows: rows))
            }
        }
        if reshapes { for index in result.indices { reshape(&result[index]) } }
        return result
    }

    /// Gives an output the shape that clients see.
    func reshape(_ output: inout Tensor) {
        guard let expected = configuration.outputs.first(where: { $0.name == output.name }),
            let reshape = expected.reshape
        else { return }
        let batch = output.shape.dimensions.prefix(configuration.maxBatchSize > 0 ? 1 : 0)
        output.shape = Shape(
            batch
                + Reshape.apply(
                    Array(output.shape.dimensions.dropFirst(batch.count)), from: reshape, to: expected.dimensions))
    }

    /// Some rows of an output.
    func slice(_ output: Tensor, row: Int, rows: Int) throws(HalcyonError) -> Tensor {
        let rowShape = Shape(Array(output.shape.dimensions.dropFirst()))
        let start: Int
        let end: Int
        if output.elementType == .bytes {
            let perRow = try rowShape.elementCount()
            start = try BytesElements.offset(after: perRow * row, from: 0, in: output)
            end = try BytesElements.offset(after: perRow * rows, from: start, in: output)
        } else {
            let perRow = try rowShape.byteCount(of: output.elementType)
            start = perRow * row
            end = start + perRow * rows
        }
        let data = try output.data.slice(offset: start, byteCount: end - start)
        return try Tensor(
            name: output.name, elementType: output.elementType, shape: rowShape.prepending(rows), data: data)
    }
}
