internal import Logging
internal import ModelConfigurations
internal import Tensors

/// Hands the outputs of a batch to its requests: each gets a slice of the batch's output memory, and nothing is copied.
struct Scatter {
    private let configuration: ModelConfiguration
    private let reshapes: Bool
    /// The outputs without rows of a common size.
    private let scattered: Set<String>
    /// As ``BackendModel/outputsLikeInputs``, for the inputs that are ragged.
    let outputsLikeInputs: [String: String]
    private let notices: OutputNotices?

    /// - Parameter log: where it is said what an output's declaration has wrong; `nil` for nowhere.
    init(_ configuration: ModelConfiguration, outputsLikeInputs: [String: String] = [:], log: Logger? = nil) {
        self.configuration = configuration
        let ragged = Set(configuration.inputs.filter(\.allowsRaggedBatch).map(\.name))
        self.outputsLikeInputs = outputsLikeInputs.filter { ragged.contains($0.value) }
        notices = log.map { OutputNotices(model: configuration.name, log: $0) }
        scattered = Set(configuration.batchOutputs.flatMap(\.targetNames)).union(self.outputsLikeInputs.keys)
        reshapes = configuration.outputs.contains { $0.reshape != nil }
    }

    /// Checks what an instance returned for a batch of that size. The shapes are the model's to say, whatever was
    /// declared: only where several requests share a batch, each output must have a row for each item.
    ///
    /// - Returns: an output whose first dimension is not the batch, although the model batches.
    /// - Throws: `internal` that names the output, what the configuration promises and what came.
    @discardableResult
    func check(
        _ outputs: [Tensor], batchSize: Int, requests: Int, requested: Set<String>?, instance: String
    ) throws(HalcyonError) -> String? {
        var withoutBatch: String?
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
            if !accepts(expected, output.shape, batchSize: batchSize), !scattered.contains(output.name) {
                let complete = declared(expected, batchSize: batchSize)
                if configuration.maxBatchSize > 0, output.shape.dimensions.first != batchSize {
                    withoutBatch = withoutBatch ?? output.name
                    guard requests == 1 else {
                        throw fault(instance, Self.mixed(output, complete, batchSize: batchSize, requests: requests))
                    }
                }
                notices?.note(output.name, output.shape, declared: complete)
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
        return withoutBatch
    }

    /// The complete shape of an output, as its configuration has it.
    ///
    /// - Parameter batchSize: the first dimension where the model batches.
    private func declared(_ output: TensorConfiguration, batchSize: Int) -> TensorShape {
        configuration.maxBatchSize > 0 ? output.modelDimensions.prepending(batchSize) : output.modelDimensions
    }

    /// Whether a shape is the declared one; without that being made, as this is asked for every output.
    private func accepts(_ output: TensorConfiguration, _ shape: TensorShape, batchSize: Int) -> Bool {
        guard configuration.maxBatchSize > 0 else { return output.modelDimensions.accepts(shape) }
        guard let first = shape.dimensions.first, batchSize == TensorShape.variable || first == batchSize else {
            return false
        }
        let expected = output.modelDimensions.dimensions
        guard shape.rank == expected.count + 1 else { return false }
        for (index, size) in expected.enumerated()
        where size != TensorShape.variable && size != shape.dimensions[index + 1] {
            return false
        }
        return true
    }

    /// Checks what an instance gave of its own accord for one request; outputs may be left out, and the shapes are the
    /// model's to say.
    ///
    /// - Throws: `internal` that names the output, what the configuration promises and what came.
    func check(given outputs: [Tensor], instance: String) throws(HalcyonError) {
        for output in outputs {
            guard let expected = configuration.outputs.first(where: { $0.name == output.name }) else {
                throw fault(instance, "returned an output '\(output.name)', which its configuration does not have")
            }
            guard output.elementType == expected.elementType else {
                throw fault(
                    instance,
                    "returned output '\(output.name)' as \(output.elementType.rawValue), expected "
                        + expected.elementType.rawValue)
            }
            if output.elementType != .bytes {
                let byteCount = try output.shape.byteCount(of: output.elementType)
                guard byteCount == output.data.byteCount else {
                    throw fault(
                        instance,
                        "returned output '\(output.name)' with \(output.data.byteCount) bytes, expected \(byteCount)")
                }
            }
            if !accepts(expected, output.shape, batchSize: TensorShape.variable) {
                notices?.note(
                    output.name, output.shape, declared: declared(expected, batchSize: TensorShape.variable))
            }
        }
    }

    private static func mixed(_ output: Tensor, _ expected: TensorShape, batchSize: Int, requests: Int) -> String {
        "returned output '\(output.name)' of shape \(output.shape), expected \(expected), for a batch of "
            + "\(batchSize) items of \(requests) requests: as its first dimension is not the batch, nobody can say "
            + "what of it is whose. Write max_batch_size: 0 in config.pbtxt, and all inputs and outputs with their "
            + "whole shapes, the first dimension included"
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
        if isWhole, !reshapes, parts.isEmpty, isAll(outputs, names) { return outputs }
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

    /// Whether the outputs are those that a request gets, in its order.
    private func isAll(_ outputs: [Tensor], _ names: [String]) -> Bool {
        let count = names.isEmpty ? configuration.outputs.count : names.count
        guard outputs.count == count else { return false }
        return outputs.indices.allSatisfy { index in
            outputs[index].name == (names.isEmpty ? configuration.outputs[index].name : names[index])
        }
    }

    /// Gives an output the shape that clients see.
    func reshape(_ output: inout Tensor) {
        guard let expected = configuration.outputs.first(where: { $0.name == output.name }),
            let reshape = expected.reshape
        else { return }
        let batch = output.shape.dimensions.prefix(configuration.maxBatchSize > 0 ? 1 : 0)
        let own = Array(output.shape.dimensions.dropFirst(batch.count))
        // What came instead of the declared shape goes out as it is.
        guard reshape.accepts(TensorShape(own)) else { return }
        output.shape = TensorShape(batch + Reshape.apply(own, from: reshape, to: expected.dimensions))
    }

    /// Some rows of an output.
    func slice(_ output: Tensor, row: Int, rows: Int) throws(HalcyonError) -> Tensor {
        let rowShape = TensorShape(Array(output.shape.dimensions.dropFirst()))
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
