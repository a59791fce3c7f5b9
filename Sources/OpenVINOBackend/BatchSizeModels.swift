internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors

/// A model that is compiled once for batches of any size, and once more for each of those sizes that its configuration
/// names (`FIXED_BATCH_SIZES`).
///
/// OpenVINO works out shapes, and what they take, anew in each inference of a model with open dimensions, and can't use
/// what it would know of certain ones: a detector of 300 × 300 pixels loses a sixth of its throughput by that.
struct BatchSizeModels: Sendable {
    /// For all other sizes.
    var open: CompiledModel
    var sizes: [Int: CompiledModel] = [:]

    /// For which of the sizes the model has to be compiled once more.
    ///
    /// - Parameter configuration: the completed one.
    /// - Throws: `invalidArgument` with what stands against it.
    static func sizes(
        _ sizes: [Int], _ batch: BatchDimension, path: String, _ configuration: ModelConfiguration
    ) throws(HalcyonError) -> [Int] {
        guard let largest = sizes.max() else { return [] }
        func refused(_ reason: String) -> HalcyonError {
            HalcyonError(.invalidArgument, "parameter 'FIXED_BATCH_SIZES': \(reason)")
        }
        guard configuration.maxBatchSize > 0 else {
            throw refused("the model does not batch: max_batch_size is 0")
        }
        guard largest <= configuration.maxBatchSize else {
            throw refused("\(largest) is over max_batch_size, which is \(configuration.maxBatchSize)")
        }
        if case .fixed(let size, _) = batch {
            guard sizes == [size] else { throw refused("the model itself takes batches of \(size) only") }
            return []
        }
        if let ragged = configuration.inputs.first(where: \.allowsRaggedBatch) {
            throw refused("input '\(ragged.name)' has rows of any length (allow_ragged_batch)")
        }
        guard configuration.batchInputs.isEmpty else {
            throw refused("an input that tells of the batch's requests (batch_input) has no size of its own")
        }
        guard ModelFormat(path: path) != .compiled else {
            throw refused("a compiled model can't be compiled for other batches, and its source is not beside it")
        }
        return sizes
    }

    /// Compiles a model for batches of one size, with its inputs in the configuration's dimensions.
    ///
    /// - Throws: `invalidArgument` with the engine's complaint, where the model does not work with them.
    mutating func compile(
        size: Int, path: String, _ runtime: Runtime, _ configuration: ModelConfiguration, settings: [String: String],
        instances: Int
    ) throws(HalcyonError) {
        do throws(HalcyonError) {
            let source = try SourceModel(runtime: runtime, path: path)
            let layout = try TensorLayout(
                source, path: path, configuration: configuration, batchSize: size, open: open.layout)
            sizes[size] = try CompiledModel(
                source, path: path, runtime: runtime, layout: layout, settings: settings, instances: instances)
        } catch {
            throw error.prefixed("parameter 'FIXED_BATCH_SIZES': batches of \(size): ")
        }
    }

    func instance(modelName: String) throws(HalcyonError) -> any ModelInstance {
        let open = try OpenVINOInstance(open, modelName: modelName)
        guard !sizes.isEmpty else { return open }
        var sized: [Int: OpenVINOInstance] = [:]
        for (size, model) in sizes { sized[size] = try OpenVINOInstance(model, modelName: modelName) }
        return BatchSizeInstance(open: open, sizes: sized)
    }
}

/// Runs each batch on the model that is compiled for its size, if there is one.
private final class BatchSizeInstance: ModelInstance {
    private let open: OpenVINOInstance
    private let sizes: [Int: OpenVINOInstance]

    init(open: OpenVINOInstance, sizes: [Int: OpenVINOInstance]) {
        self.open = open
        self.sizes = sizes
    }

    func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] {
        try (sizes[batch.batchSize] ?? open).execute(&batch)
    }
}
