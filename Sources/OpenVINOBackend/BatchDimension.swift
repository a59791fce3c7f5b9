internal import ModelConfigurations
internal import Tensors

/// What becomes of a model's first dimension where the configuration says that the model batches.
enum BatchDimension: Equatable, Sendable {
    /// The model does not batch.
    case none
    /// Batches of any size, as the model was made.
    case open
    /// Batches of any size, by a reshape of the model.
    case opened
    /// Batches of one size only; smaller ones are filled up with zeros where `pads` is true.
    case fixed(size: Int, pads: Bool)

    /// Prepares the model's inputs for batches of up to the configured size.
    ///
    /// A fixed first dimension is opened where the model works with that. Where it does not, batches must have that
    /// size, or are filled up to it if the parameters say so.
    ///
    /// - Parameter source: the model that can be changed; `nil` for one that is compiled already.
    /// - Throws: `invalidArgument` that says which input stands against it.
    static func arrange(
        _ source: SourceModel?, inputs: [Port], maxBatchSize: Int, parameters: ModelParameters
    ) throws(HalcyonError) -> BatchDimension {
        guard maxBatchSize > 0 else { return .none }
        var fixed: (name: String, size: Int)?
        for input in inputs {
            guard let dimensions = input.dimensions else { continue }
            guard let first = dimensions.first else {
                throw HalcyonError(
                    .invalidArgument,
                    "input '\(input.name)' has no dimensions, so the model can't batch: max_batch_size must be 0")
            }
            if let size = first.fixedSize {
                fixed = fixed ?? (input.name, size)
            } else if let maximum = first.maximum, maximum < maxBatchSize {
                throw HalcyonError(
                    .invalidArgument,
                    "input '\(input.name)' takes batches of at most \(maximum), but max_batch_size is \(maxBatchSize)")
            }
        }
        guard let fixed else { return .open }
        if fixed.size == 1, maxBatchSize == 1 { return .fixed(size: 1, pads: false) }
        if let source, !parameters.keepsFixedBatch, try opens(source, inputs) { return .opened }
        guard maxBatchSize <= fixed.size, parameters.padsBatches || maxBatchSize == fixed.size else {
            throw HalcyonError(
                .invalidArgument,
                "input '\(fixed.name)' has a fixed batch dimension of \(fixed.size), "
                    + "but max_batch_size is \(maxBatchSize)"
                    + (maxBatchSize < fixed.size
                        ? "; the parameter ENABLE_BATCH_PADDING: \"YES\" fills smaller batches up" : ""))
        }
        return .fixed(size: fixed.size, pads: parameters.padsBatches)
    }

    /// Opens the first dimension of all inputs; where the outputs do not follow, puts everything back.
    private static func opens(_ source: SourceModel, _ inputs: [Port]) throws(HalcyonError) -> Bool {
        var before: [(index: Int, dimensions: [Port.Dimension])] = []
        var after = before
        for (index, input) in inputs.enumerated() {
            guard let dimensions = input.dimensions else { continue }
            before.append((index, dimensions))
            after.append((index, [.any] + dimensions.dropFirst()))
        }
        do {
            try source.reshapeInputs(after)
            let outputs = try source.ports.ports(.output)
            if outputs.allSatisfy({ $0.dimensions == nil || $0.dimensions?.first.map { $0.fixedSize == nil } == true })
            {
                return true
            }
        } catch {
            // The model does not work with an open batch dimension: the old shapes come back below.
        }
        try source.reshapeInputs(before)
        return false
    }
}

extension ModelSignature.Port {
    /// This port with its first dimension open, where it is the fixed batch size.
    func openingBatch(_ batch: BatchDimension) -> ModelSignature.Port {
        guard case .fixed(let size, _) = batch, var shape, shape.dimensions.first == size else { return self }
        shape.dimensions[0] = TensorShape.variable
        var port = self
        port.shape = shape
        return port
    }
}
