package import Tensors

/// Fills in what a configuration leaves open, from what the model says of itself and from the defaults.
///
/// The rules are the reference's: inputs and outputs are taken over whole where the file names none; a model whose
/// tensors all begin with an open dimension batches, up to a default maximum, and then gets a dynamic batcher unless a
/// scheduler is chosen.
package enum ConfigurationCompletion {
    package struct Options: Sendable {
        /// The maximum batch size of a model that could batch and whose configuration does not say.
        package var defaultMaxBatchSize: Int
        /// Whether anything is taken from the model. The defaults are filled in all the same.
        package var isEnabled: Bool

        package init(defaultMaxBatchSize: Int = 4, isEnabled: Bool = true) {
            self.defaultMaxBatchSize = defaultMaxBatchSize
            self.isEnabled = isEnabled
        }
    }

    /// The complete configuration.
    ///
    /// - Throws: `invalidArgument` where inputs or outputs are missing and the model doesn't say them either.
    package static func complete(
        _ configuration: ModelConfiguration, signature: ModelSignature?, options: Options = Options()
    ) throws(HalcyonError) -> ModelConfiguration {
        var complete = configuration
        if let signature, options.isEnabled {
            if complete.maxBatchSize == 0, options.defaultMaxBatchSize > 0, canBatch(complete, signature) {
                complete.maxBatchSize = options.defaultMaxBatchSize
                if complete.dynamicBatching == nil, complete.maxBatchSize > 1 {
                    complete.dynamicBatching = DynamicBatching()
                }
            }
            if complete.inputs.isEmpty { complete.inputs = try tensors(signature.inputs, of: complete, "input") }
            if complete.outputs.isEmpty { complete.outputs = try tensors(signature.outputs, of: complete, "output") }
        }
        guard !complete.inputs.isEmpty, !complete.outputs.isEmpty else {
            throw HalcyonError(
                .invalidArgument,
                "model '\(complete.name)' must specify its \(complete.inputs.isEmpty ? "inputs" : "outputs") in "
                    + "config.pbtxt, as the model itself does not say them")
        }
        return withDefaults(complete)
    }

    /// Whether all of the model's tensors begin with an open dimension, and those that the file names leave it out.
    private static func canBatch(_ configuration: ModelConfiguration, _ signature: ModelSignature) -> Bool {
        let batches = (signature.inputs + signature.outputs).allSatisfy { port in
            guard let shape = port.shape else { return false }
            return shape.rank >= 2 && shape.dimensions.first == Shape.variable
        }
        return batches && leavesOutBatch(configuration.inputs, signature.inputs)
            && leavesOutBatch(configuration.outputs, signature.outputs)
    }

    private static func leavesOutBatch(_ tensors: [TensorConfiguration], _ ports: [ModelSignature.Port]) -> Bool {
        tensors.allSatisfy { tensor in
            guard let shape = ports.first(where: { $0.name == tensor.name })?.shape else { return false }
            return tensor.dimensions.rank + 1 == shape.rank
        }
    }

    private static func tensors(
        _ ports: [ModelSignature.Port], of configuration: ModelConfiguration, _ what: String
    ) throws(HalcyonError) -> [TensorConfiguration] {
        var tensors: [TensorConfiguration] = []
        for port in ports {
            guard let shape = port.shape else {
                throw HalcyonError(
                    .invalidArgument,
                    "model '\(configuration.name)': the number of dimensions of \(what) '\(port.name)' is open; give its "
                        + "dims in config.pbtxt")
            }
            let dimensions = configuration.maxBatchSize > 0 ? Shape(Array(shape.dimensions.dropFirst())) : shape
            tensors.append(
                TensorConfiguration(name: port.name, elementType: port.elementType, dimensions: dimensions))
        }
        return tensors
    }

    private static func withDefaults(_ configuration: ModelConfiguration) -> ModelConfiguration {
        var complete = configuration
        if complete.dynamicBatching?.preferredBatchSizes.isEmpty == true, complete.maxBatchSize > 0 {
            complete.dynamicBatching?.preferredBatchSizes = [complete.maxBatchSize]
        }
        if complete.instanceGroups.isEmpty {
            complete.instanceGroups = [InstanceGroup(name: complete.name)]
        }
        for index in complete.instanceGroups.indices where complete.instanceGroups[index].name.isEmpty {
            complete.instanceGroups[index].name = "\(complete.name)_\(index)"
        }
        return complete
    }
}
