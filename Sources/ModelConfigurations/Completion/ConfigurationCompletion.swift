package import Tensors

/// Fills in what a configuration leaves open, from what the model says of itself and from the defaults.
///
/// The rules are those that Triton has for ONNX models. Where the file names its inputs and its outputs, nothing is
/// taken from the model. Where one of the two lists is missing, it is taken over whole; and a model whose tensors all
/// begin with an open dimension batches then, up to a default maximum if the file has none, with a dynamic batcher.
package enum ConfigurationCompletion {
    package struct Options: Sendable {
        /// The maximum batch size of a model that could batch and whose configuration does not say; 0 for no batches.
        package var defaultMaxBatchSize: Int
        /// Whether anything is taken from the model. The defaults are filled in all the same.
        package var isEnabled: Bool
        /// The GPUs that the model's instances may be on.
        package var placement = GPUPlacement.none

        package init(defaultMaxBatchSize: Int = 4, isEnabled: Bool = true) {
            self.defaultMaxBatchSize = defaultMaxBatchSize
            self.isEnabled = isEnabled
        }
    }

    /// The complete configuration: it has inputs and outputs, preferred batch sizes where it has a dynamic batcher, and
    /// instance groups with a name and a kind that is not AUTO.
    ///
    /// - Throws: `invalidArgument` where inputs or outputs are missing and the model doesn't say them either, where the
    ///   file asks for batches that the model can't take, and where a preferred batch size is over the maximum.
    package static func complete(
        _ configuration: ModelConfiguration, signature: ModelSignature?, options: Options = Options()
    ) throws(HalcyonError) -> ModelConfiguration {
        var complete = configuration
        let signature = signature.map { required($0, by: complete) }
        if let signature, options.isEnabled, complete.inputs.isEmpty || complete.outputs.isEmpty {
            try completeBatching(&complete, from: signature, options)
            let own = sequenceTensors(complete).union(complete.batchInputs.flatMap(\.targetNames))
            if complete.inputs.isEmpty {
                complete.inputs = try tensors(signature.inputs.filter { !own.contains($0.name) }, of: complete, "input")
            }
            if complete.outputs.isEmpty {
                complete.outputs = try tensors(
                    signature.outputs.filter { !own.contains($0.name) }, of: complete, "output")
            }
        }
        try requireTensors(complete, signature, options)
        try checkPreferredSizes(complete)
        return withDefaults(complete, options.placement)
    }

    /// Without the inputs that the model has values of its own for, except for those that the file names.
    private static func required(
        _ signature: ModelSignature, by configuration: ModelConfiguration
    ) -> ModelSignature {
        var signature = signature
        signature.inputs.removeAll { input in
            input.isOptional && !configuration.inputs.contains { $0.name == input.name }
        }
        return signature
    }

    // MARK: Batching

    private static func completeBatching(
        _ configuration: inout ModelConfiguration, from signature: ModelSignature, _ options: Options
    ) throws(HalcyonError) {
        let ports = signature.inputs + signature.outputs
        if configuration.maxBatchSize > 0 {
            let refusing = ports.first { port in port.shape.map { $0.dimensions.first != TensorShape.variable } ?? false
            }
            if let refusing, let shape = refusing.shape {
                throw HalcyonError(
                    .invalidArgument,
                    "autofill failed for model '\(configuration.name)': model does not support batching while non-zero "
                        + "max_batch_size is specified; '\(refusing.name)' has the shape \(shape)")
            }
        } else {
            let canBatch = ports.allSatisfy { $0.shape?.dimensions.first == TensorShape.variable }
            guard canBatch, leavesOutBatch(configuration.inputs, signature.inputs),
                leavesOutBatch(configuration.outputs, signature.outputs)
            else { return }
            configuration.maxBatchSize = max(0, options.defaultMaxBatchSize)
        }
        if configuration.maxBatchSize > 1, configuration.dynamicBatching == nil, configuration.sequenceBatching == nil {
            configuration.dynamicBatching = DynamicBatching()
        }
    }

    /// Whether the tensors that the file names have one dimension less than the model's: all but the batch.
    private static func leavesOutBatch(_ tensors: [TensorConfiguration], _ ports: [ModelSignature.Port]) -> Bool {
        tensors.allSatisfy { tensor in
            guard let shape = ports.first(where: { $0.name == tensor.name })?.shape else { return true }
            return tensor.modelDimensions.rank + 1 == shape.rank
        }
    }

    /// The file's own maximum was compared when it was read; one that is filled in, or left out, could not be.
    private static func checkPreferredSizes(_ configuration: ModelConfiguration) throws(HalcyonError) {
        let sizes = configuration.dynamicBatching?.preferredBatchSizes ?? []
        guard let largest = sizes.max(), largest > configuration.maxBatchSize else { return }
        throw HalcyonError(
            .invalidArgument,
            "dynamic batching preferred size must be <= max batch size for \(configuration.name): preferred_batch_size "
                + "has \(largest), max_batch_size is \(configuration.maxBatchSize)")
    }

    // MARK: Inputs and outputs

    /// A tensor that is a single number, or one number an item, has one dimension for clients, as in Triton.
    private static func tensors(
        _ ports: [ModelSignature.Port], of configuration: ModelConfiguration, _ what: String
    ) throws(HalcyonError) -> [TensorConfiguration] {
        let unknown = ports.filter { $0.shape == nil }.map { "'\($0.name)'" }
        guard unknown.isEmpty else {
            throw HalcyonError(
                .invalidArgument,
                "model '\(configuration.name)' does not say how many dimensions its \(what) "
                    + "\(unknown.joined(separator: ", ")) has: name all \(what)s with their dims in config.pbtxt")
        }
        return ports.map { port in
            let dimensions = port.shape?.dimensions.dropFirst(configuration.maxBatchSize > 0 ? 1 : 0) ?? []
            var tensor = TensorConfiguration(
                name: port.name, elementType: port.elementType,
                dimensions: dimensions.isEmpty ? [1] : TensorShape(Array(dimensions)))
            if dimensions.isEmpty { tensor.reshape = [] }
            return tensor
        }
    }

    /// The model's tensors that the sequence batcher makes and takes, and clients do not see.
    private static func sequenceTensors(_ configuration: ModelConfiguration) -> Set<String> {
        guard let sequences = configuration.sequenceBatching else { return [] }
        return Set(sequences.controls.map(\.inputName) + sequences.states.flatMap { [$0.inputName, $0.outputName] })
    }

    private static func requireTensors(
        _ configuration: ModelConfiguration, _ signature: ModelSignature?, _ options: Options
    ) throws(HalcyonError) {
        var missing: [String] = []
        if configuration.inputs.isEmpty { missing.append("input") }
        if configuration.outputs.isEmpty { missing.append("output") }
        guard !missing.isEmpty else { return }
        let reason =
            if signature == nil {
                "the model does not describe its own tensors"
            } else if !options.isEnabled {
                "configurations are not completed from the model"
            } else {
                "the model itself has none"
            }
        throw HalcyonError(
            .invalidArgument,
            "model '\(configuration.name)' must specify \(missing.joined(separator: " and ")) in config.pbtxt: "
                + "\(reason)"
        )
    }

    // MARK: Defaults

    private static func withDefaults(
        _ configuration: ModelConfiguration, _ placement: GPUPlacement
    ) -> ModelConfiguration {
        var complete = configuration
        if complete.dynamicBatching?.preferredBatchSizes.isEmpty == true, complete.maxBatchSize > 0 {
            complete.dynamicBatching?.preferredBatchSizes = [complete.maxBatchSize]
            complete.dynamicBatching?.hasDefaultSizes = true
        }
        if complete.ensemble != nil { return complete }
        if complete.instanceGroups.isEmpty { complete.instanceGroups = [InstanceGroup(name: complete.name)] }
        for index in complete.instanceGroups.indices {
            if complete.instanceGroups[index].name.isEmpty {
                complete.instanceGroups[index].name = "\(complete.name)_\(index)"
            }
            let kind = placement.kind(of: complete.instanceGroups[index])
            complete.instanceGroups[index].kind = kind
            // A group that names none has its instances on each.
            if kind == .gpu, complete.instanceGroups[index].gpus.isEmpty {
                complete.instanceGroups[index].gpus = placement.numbers
            }
        }
        return complete
    }
}
