internal import Tensors

/// What a configuration says beyond tensors, instances and batches.
extension ConfigurationDecoder {
    // MARK: Reshape

    /// The shape that the model itself has, where it is another than the one that clients see.
    mutating func reshape(
        _ tensor: ConfigurationMessage, _ dimensions: TensorShape, name: String, _ field: String, _ path: String
    ) -> TensorShape? {
        guard let reshape = tensor.message("reshape") else { return nil }
        let nodes = reshape.nodes("shape")
        for (index, node) in nodes.enumerated() where node.value.integer < 1 && node.value.integer != -1 {
            diagnostics.error(
                "model \(field) '\(name)' reshape dimensions must be integer >= 1, or -1 to indicate a variable-size "
                    + "dimension for \(modelName)", at: node.position, "\(path).reshape.shape[\(index)]",
                hint: "got \(node.value.integer)")
        }
        let shape = TensorShape(nodes.map { Int(clamping: $0.value.integer) })
        if let complaint = Reshape.complaint(from: dimensions, to: shape) {
            let isOfOpenSizes =
                dimensions.dimensions.count { $0 == TensorShape.variable }
                != shape.dimensions.count { $0 == TensorShape.variable }
            diagnostics.error(
                "model \(field) '\(name)' has different "
                    + "\(isOfOpenSizes ? "number of variable-size dimensions" : "size") for dims and reshape for "
                    + "\(modelName)",
                at: reshape.position, "\(path).reshape", hint: complaint)
        }
        return shape
    }

    // MARK: Ensembles

    mutating func ensemble(_ message: ConfigurationMessage) -> EnsembleScheduling? {
        guard let scheduling = message.message("ensemble_scheduling") else {
            if message.node("platform").map({ $0.value.isString("ensemble") }) == true {
                diagnostics.error(
                    "ensemble scheduling must be set for ensemble \(modelName) whose platform is ensemble",
                    at: message.position(of: "platform"), "platform")
            }
            return nil
        }
        let steps = scheduling.nodes("step")
        if steps.isEmpty {
            diagnostics.error(
                "must specify 'step' for ensemble '\(modelName)'", at: scheduling.position, "ensemble_scheduling.step")
        }
        var ensemble = EnsembleScheduling(
            maxInflightRequests: Int(clamping: scheduling.unsigned("max_inflight_requests")))
        for (index, node) in steps.enumerated() {
            guard case .message(let step) = node.value else { continue }
            ensemble.steps.append(self.step(step, index))
        }
        return ensemble
    }

    private mutating func step(_ step: ConfigurationMessage, _ index: Int) -> EnsembleScheduling.Step {
        let path = "ensemble_scheduling.step[\(index)]"
        for field in ["model_name", "input_map", "output_map"] where step.node(field) == nil && !step.mentions(field) {
            diagnostics.error(
                "must specify '\(field)' in step \(index) of ensemble '\(modelName)'", at: step.position,
                "\(path).\(field)")
        }
        if let node = step.node("model_namespace"), !step.string("model_namespace").isEmpty {
            diagnostics.error(
                "'model_namespace' is not supported by this version", at: node.position, "\(path).model_namespace")
        }
        let version = step.integer("model_version")
        return EnsembleScheduling.Step(
            modelName: step.string("model_name"), modelVersion: version > 0 ? version : nil,
            inputMap: map(step, "input_map", index), outputMap: map(step, "output_map", index))
    }

    private mutating func map(_ step: ConfigurationMessage, _ field: String, _ index: Int) -> [String: String] {
        var map: [String: String] = [:]
        for node in step.nodes(field) {
            guard case .string(let value) = node.value else { continue }
            if value.isEmpty {
                diagnostics.error(
                    "must name an ensemble tensor for '\(node.key)' in step \(index) of ensemble '\(modelName)'",
                    at: node.position, "ensemble_scheduling.step[\(index)].\(field)")
            }
            map[node.key] = value
        }
        return map
    }

    // MARK: Warm-up

    mutating func warmUps(_ message: ConfigurationMessage, _ configuration: ModelConfiguration) -> [WarmUpSample] {
        message.nodes("model_warmup").enumerated().compactMap { index, node in
            guard case .message(let sample) = node.value else { return nil }
            return warmUp(sample, configuration, "model_warmup[\(index)]")
        }
    }

    private mutating func warmUp(
        _ message: ConfigurationMessage, _ configuration: ModelConfiguration, _ path: String
    ) -> WarmUpSample {
        let name = message.string("name")
        var sample = WarmUpSample(name: name)
        sample.batchSize = Int(clamping: message.unsigned("batch_size"))
        sample.count = max(1, Int(clamping: message.unsigned("count")))
        // A model that leaves its maximum open may still turn out to batch.
        if configuration.maxBatchSize > 0, sample.batchSize > configuration.maxBatchSize {
            diagnostics.error(
                "warmup sample '\(name)' has batch_size \(sample.batchSize), and max_batch_size of \(modelName) is "
                    + "\(configuration.maxBatchSize)", at: message.position(of: "batch_size"), "\(path).batch_size")
        }
        if sample.count > WarmUpSample.maximumCount {
            diagnostics.error(
                "warmup sample '\(name)' of \(modelName) has count \(sample.count), and at most "
                    + "\(WarmUpSample.maximumCount) are run", at: message.position(of: "count"), "\(path).count")
        }
        for node in message.nodes("inputs") {
            guard case .message(let input) = node.value else { continue }
            sample.inputs[node.key] = warmUpInput(input, "\(path).inputs[\(node.key)]")
        }
        return sample
    }

    private mutating func warmUpInput(_ message: ConfigurationMessage, _ path: String) -> WarmUpSample.Input? {
        guard let type = ElementType(configurationName: message.string("data_type")) else {
            diagnostics.error("a warmup input needs a 'data_type'", at: message.position, "\(path).data_type")
            return nil
        }
        let dimensions = message.nodes("dims").map { Int(clamping: $0.value.integer) }
        for (index, node) in message.nodes("dims").enumerated() where node.value.integer < 0 {
            diagnostics.error(
                "a warmup input's sizes are fixed, got \(node.value.integer)", at: node.position,
                "\(path).dims[\(index)]")
        }
        let file = message.string("input_data_file")
        if file.split(separator: "/", omittingEmptySubsequences: false).contains("..") || file.hasPrefix("/")
            || file.contains("\0")
        {
            diagnostics.error(
                "the warmup file '\(file)' leads out of the folder 'warmup'",
                at: message.position(of: "input_data_file"),
                "\(path).input_data_file")
        }
        let data: WarmUpSample.Data? =
            if !file.isEmpty {
                .file(file)
            } else if message.node("random_data") != nil {
                // Which of them is there counts, as in Triton, and not what it says.
                .random
            } else {
                message.node("zero_data") == nil ? nil : .zero
            }
        guard let data else {
            diagnostics.error(
                "a warmup input needs one of zero_data, random_data and input_data_file", at: message.position, path)
            return nil
        }
        return WarmUpSample.Input(elementType: type, dimensions: TensorShape(dimensions), data: data)
    }

    // MARK: What can't stand together

    mutating func checkChoices(_ message: ConfigurationMessage, _ configuration: ModelConfiguration) {
        if configuration.ensemble != nil {
            for field in ["instance_group", "model_warmup", "model_transaction_policy"]
            where message.node(field) != nil {
                let text =
                    switch field {
                    case "instance_group": "instance group should not be specified for ensemble '\(modelName)'"
                    case "model_warmup": "model_warmup can not be specified for ensemble '\(modelName)'"
                    default: "'\(field)' should not be specified for ensemble '\(modelName)'"
                    }
                diagnostics.error(text, at: message.position(of: field), field, hint: "its steps have their own")
            }
            let platform = message.string("platform")
            if !platform.isEmpty, platform != "ensemble" {
                diagnostics.error(
                    "ensemble scheduling cannot be set for model '\(modelName)' whose platform is not ensemble",
                    at: message.position(of: "platform"), "platform", hint: "got '\(platform)'")
            }
        }
        if configuration.isDecoupled, configuration.dynamicBatching?.preserveOrdering == true {
            diagnostics.error(
                "preserve_ordering can't be kept by a decoupled model: \(modelName)",
                at: message.position(of: "model_transaction_policy"), "model_transaction_policy")
        }
        if let sequences = configuration.sequenceBatching {
            if configuration.isDecoupled, !sequences.isIterative {
                diagnostics.error(
                    "a decoupled model with sequences that are not iterative is not supported by this version: "
                        + "\(modelName)",
                    at: message.position(of: "model_transaction_policy"), "model_transaction_policy")
            }
            if configuration.usesResponseCache {
                diagnostics.error(
                    "Response Cache does not currently support model \(modelName) with sequence batching scheduler. "
                        + "Please disable the response cache.", at: message.position(of: "response_cache"),
                    "response_cache",
                    hint: "its answers depend on what came before")
            }
        }
        if configuration.isDecoupled, configuration.usesResponseCache {
            diagnostics.error(
                "Response Cache does not currently support model \(modelName) with 'decoupled' transaction policy. "
                    + "Please disable the response cache.", at: message.position(of: "response_cache"), "response_cache"
            )
        }
    }
}
