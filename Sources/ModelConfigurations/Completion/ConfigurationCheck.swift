package import Tensors

/// Compares a complete configuration with what the model says of itself.
package enum ConfigurationCheck {
    /// - Throws: `invalidArgument` with every disagreement, a line each, in Triton's words.
    package static func check(
        _ configuration: ModelConfiguration, against signature: ModelSignature
    ) throws(HalcyonError) {
        var complaints: [String] = []
        let inputs = configuration.inputs.filter { !$0.allowsRaggedBatch } + sequenceInputs(configuration)
        let wholeInputs = wholeInputs(configuration)
        let named = Set((inputs + wholeInputs).map(\.name))
        // Those that the model has a value of its own for may be left out of the configuration.
        let provided = signature.inputs.filter { !$0.isOptional || named.contains($0.name) }
        if inputs.count + wholeInputs.count != provided.count {
            let missing = provided.map(\.name).filter { !named.contains($0) }
            let which = missing.map { "'\($0)'" }.joined(separator: ", ")
            complaints.append(
                "unable to load model '\(configuration.name)', configuration expects "
                    + "\(inputs.count + wholeInputs.count) inputs, model provides \(provided.count)"
                    + (which.isEmpty ? "" : "; missing: \(which)"))
        }
        for input in inputs { complaints += disagreements(configuration, input, signature.inputs, .input) }
        // Without a batch dimension, whether the model batches or not.
        var unbatched = configuration
        unbatched.maxBatchSize = 0
        for input in wholeInputs { complaints += disagreements(unbatched, input, signature.inputs, .input) }
        let scattered = Set(configuration.batchOutputs.flatMap(\.targetNames))
        for output in configuration.outputs where scattered.contains(output.name) {
            complaints += disagreements(
                unbatched,
                TensorConfiguration(
                    name: output.name, elementType: output.elementType, dimensions: [TensorShape.variable]),
                signature.outputs, .output)
        }
        let outputs = configuration.outputs.filter { !scattered.contains($0.name) }
        for output in outputs + stateOutputs(configuration) {
            complaints += disagreements(configuration, output, signature.outputs, .output)
        }
        guard complaints.isEmpty else { throw HalcyonError(.invalidArgument, complaints.joined(separator: "\n")) }
    }

    /// The inputs that span the batch: the elements of all requests, and what the engine makes for each batch.
    private static func wholeInputs(_ configuration: ModelConfiguration) -> [TensorConfiguration] {
        let ragged = configuration.inputs.filter(\.allowsRaggedBatch).map {
            TensorConfiguration(name: $0.name, elementType: $0.elementType, dimensions: [TensorShape.variable])
        }
        let made = configuration.batchInputs.flatMap { input in
            let source = configuration.inputs.first { $0.name == input.sourceInput }
            return input.targetNames.map { name in
                TensorConfiguration(
                    name: name, elementType: input.elementType,
                    dimensions: input.shape(rank: source?.dimensions.rank ?? 1))
            }
        }
        return ragged + made
    }

    /// Compares what `batch_input` and `batch_output` name with the inputs and outputs.
    ///
    /// - Throws: `invalidArgument` with every complaint.
    package static func checkBatchTensors(_ configuration: ModelConfiguration) throws(HalcyonError) {
        var complaints: [String] = []
        let inputs = configuration.inputs.map(\.name)
        let sources = configuration.batchInputs.map(\.sourceInput) + configuration.batchOutputs.map(\.sourceInput)
        for source in Set(sources).sorted() where !inputs.contains(source) {
            let hint = NameSuggestion.hint(for: source, among: inputs)
            complaints.append(
                "unknown source input name '\(source)' for \(configuration.name): batch_input or batch_output names it"
                    + (hint.isEmpty ? "" : ", \(hint)"))
        }
        for name in configuration.batchInputs.flatMap(\.targetNames) where inputs.contains(name) {
            complaints.append(
                "batch input '\(name)' of model '\(configuration.name)' is also an input of its clients")
        }
        for name in configuration.batchOutputs.flatMap(\.targetNames)
        where !configuration.outputs.contains(where: { $0.name == name }) {
            let hint = NameSuggestion.hint(for: name, among: configuration.outputs.map(\.name))
            complaints.append(
                "unknown target output name '\(name)' for \(configuration.name): batch_output names it"
                    + (hint.isEmpty ? "" : ", \(hint)"))
        }
        for output in configuration.batchOutputs where Set(output.targetNames).count < output.targetNames.count {
            let twice = output.targetNames.first { name in output.targetNames.count { $0 == name } > 1 } ?? ""
            complaints.append("target output name '\(twice)' can only be specified once for \(configuration.name)")
        }
        let isRagged = configuration.inputs.contains(where: \.allowsRaggedBatch) || !configuration.batchOutputs.isEmpty
        if isRagged, configuration.maxBatchSize == 0 {
            complaints.append(
                "allow_ragged_batch and batch_output need a model that batches, and max_batch_size of model "
                    + "'\(configuration.name)' is 0")
        }
        guard complaints.isEmpty else { throw HalcyonError(.invalidArgument, complaints.joined(separator: "\n")) }
    }

    /// The inputs that the sequence batcher makes, beside those of clients.
    private static func sequenceInputs(_ configuration: ModelConfiguration) -> [TensorConfiguration] {
        guard let sequences = configuration.sequenceBatching else { return [] }
        let known = Set(configuration.inputs.map(\.name))
        let controls = sequences.controls.map {
            TensorConfiguration(name: $0.inputName, elementType: $0.elementType, dimensions: [1])
        }
        let states = sequences.states.map {
            TensorConfiguration(name: $0.inputName, elementType: $0.elementType, dimensions: $0.dimensions)
        }
        return (controls + states).filter { !known.contains($0.name) }
    }

    private static func stateOutputs(_ configuration: ModelConfiguration) -> [TensorConfiguration] {
        let known = Set(configuration.outputs.map(\.name))
        return (configuration.sequenceBatching?.states ?? []).map {
            TensorConfiguration(name: $0.outputName, elementType: $0.elementType, dimensions: $0.dimensions)
        }.filter { !known.contains($0.name) }
    }

    /// What a complete configuration says that will have no effect, a sentence each.
    package static func warnings(_ configuration: ModelConfiguration) -> [String] {
        if let sequences = configuration.sequenceBatching { return warnings(configuration, sequences) }
        if let batching = configuration.dynamicBatching, configuration.maxBatchSize > 1 {
            return warnings(configuration, batching)
        }
        guard configuration.dynamicBatching != nil else { return [] }
        return [
            "dynamic_batching batches nothing in model '\(configuration.name)', as max_batch_size is "
                + "\(configuration.maxBatchSize)"
        ]
    }

    private static func warnings(_ configuration: ModelConfiguration, _ sequences: SequenceBatching) -> [String] {
        var warnings: [String] = []
        if sequences.controls.isEmpty, sequences.states.isEmpty {
            warnings.append(
                "sequence_batching of model '\(configuration.name)' has neither control_input nor state: the model "
                    + "can't tell one sequence from another")
        }
        if case .oldest(let candidates, let preferred, _, _) = sequences.strategy, candidates > 0,
            let smallest = preferred.min(), smallest > candidates
        {
            warnings.append(
                "sequence_batching.oldest of model '\(configuration.name)' has max_candidate_sequences "
                    + "\(candidates), which never fill the smallest preferred batch, \(smallest)")
        }
        return warnings
    }

    private static func warnings(_ configuration: ModelConfiguration, _ batching: DynamicBatching) -> [String] {
        var warnings: [String] = []
        let smallest = batching.preferredBatchSizes.min() ?? configuration.maxBatchSize
        for (level, policy) in batching.priorityQueuePolicies.sorted(by: { $0.key < $1.key })
        where policy.maxQueueSize > 0 && policy.maxQueueSize < smallest {
            warnings.append(
                "priority_queue_policy of level \(level) of model '\(configuration.name)' has max_queue_size "
                    + "\(policy.maxQueueSize), less than a batch of \(smallest): requests of one item of that level "
                    + "alone can never fill it")
        }
        let policy = batching.defaultQueuePolicy
        if policy.timeoutAction == .reject, policy.defaultTimeoutMicroseconds > 0,
            policy.defaultTimeoutMicroseconds <= batching.maxQueueDelayMicroseconds
        {
            warnings.append(
                "requests to model '\(configuration.name)' time out after \(policy.defaultTimeoutMicroseconds) "
                    + "microseconds, and may be held back for \(batching.maxQueueDelayMicroseconds): one that waits "
                    + "alone never runs")
        }
        if let largest = batching.preferredBatchSizes.max(), largest < configuration.maxBatchSize,
            batching.maxQueueDelayMicroseconds > 0
        {
            warnings.append(
                "batches of model '\(configuration.name)' end at the preferred size \(largest), so that max_batch_size "
                    + "\(configuration.maxBatchSize) is never reached before the delay is over")
        }
        return warnings
    }

    /// Compares the samples of `model_warmup` with the model's inputs.
    ///
    /// - Throws: `invalidArgument` with every complaint.
    package static func checkWarmUps(_ configuration: ModelConfiguration) throws(HalcyonError) {
        var complaints: [String] = []
        let own = sequenceInputs(configuration)
        for sample in configuration.warmUps where sample.batchSize > 0 {
            let prefix = "warmup sample '\(sample.name)': "
            if sample.batchSize > max(1, configuration.maxBatchSize) {
                complaints.append(
                    prefix + "it has batch_size \(sample.batchSize), and max_batch_size of '\(configuration.name)' is "
                        + "\(configuration.maxBatchSize)")
            }
            let known = configuration.inputs.filter { sample.inputs[$0.name] != nil }
            let missing = configuration.inputs.filter { sample.inputs[$0.name] == nil && !$0.isOptional }
            if !missing.isEmpty {
                let quoted = { (inputs: [TensorConfiguration]) in
                    "[" + inputs.map { "'\($0.name)'" }.joined(separator: ",") + "]"
                }
                complaints.append(
                    prefix + "expected \(configuration.inputs.count) inputs but got \(known.count) inputs for model "
                        + "'\(configuration.name)'. Got input(s) \(quoted(known)), but missing required input(s) "
                        + "\(quoted(missing)). Please provide all required input(s).")
            }
            let all = configuration.inputs + own
            for name in sample.inputs.keys.sorted() where !all.contains(where: { $0.name == name }) {
                let hint = NameSuggestion.hint(for: name, among: all.map(\.name))
                complaints.append(
                    prefix + "model '\(configuration.name)' has no input '\(name)'" + (hint.isEmpty ? "" : ", \(hint)"))
            }
            for input in all {
                guard let given = sample.inputs[input.name] else { continue }
                if given.elementType != input.elementType {
                    complaints.append(
                        prefix + "input '\(input.name)' is \(given.elementType.configurationName), and model "
                            + "'\(configuration.name)' expects \(input.elementType.configurationName)")
                }
                if !input.dimensions.accepts(given.dimensions) {
                    complaints.append(
                        prefix + "input '\(input.name)' has the dims \(given.dimensions), and model "
                            + "'\(configuration.name)' expects \(input.dimensions)")
                }
            }
        }
        guard complaints.isEmpty else { throw HalcyonError(.invalidArgument, complaints.joined(separator: "\n")) }
    }

    private enum Direction: String {
        case input
        case output
    }

    private static func disagreements(
        _ configuration: ModelConfiguration, _ tensor: TensorConfiguration, _ ports: [ModelSignature.Port],
        _ direction: Direction
    ) -> [String] {
        guard let port = ports.first(where: { $0.name == tensor.name }) else {
            let names = ports.map(\.name)
            let hint = NameSuggestion.hint(for: tensor.name, among: names)
            return [
                "unexpected inference \(direction.rawValue) '\(tensor.name)', allowed \(direction.rawValue)s are: "
                    + names.joined(separator: ", ") + "; in model '\(configuration.name)'"
                    + (hint.isEmpty ? "" : ", \(hint)")
            ]
        }
        var complaints: [String] = []
        if tensor.elementType != port.elementType {
            complaints.append(
                "unable to load model '\(configuration.name)', configuration expects datatype "
                    + "\(tensor.elementType.configurationName) for \(direction.rawValue) '\(tensor.name)', model "
                    + "provides "
                    + port.elementType.configurationName)
        }
        if let shape = port.shape,
            let complaint = shapeDisagreement(configuration, tensor, shape, direction)
        {
            complaints.append(complaint)
        }
        return complaints
    }

    private static func shapeDisagreement(
        _ configuration: ModelConfiguration, _ tensor: TensorConfiguration, _ shape: TensorShape, _ direction: Direction
    ) -> String? {
        let batches = configuration.maxBatchSize > 0
        let prefix = "model '\(configuration.name)', tensor '\(tensor.name)': "
        if batches, shape.dimensions.first != TensorShape.variable {
            return prefix
                + "for the model to support batching the shape should have at least 1 dimension and the first "
                + "dimension must be -1; but shape expected by the model is \(shape)"
        }
        let complete = batches ? tensor.modelDimensions.prepending(TensorShape.variable) : tensor.modelDimensions
        let fits =
            shape.rank == complete.rank
            && zip(shape.dimensions, complete.dimensions).allSatisfy { model, configured in
                // An input promises callers that any size is taken, so the model must take any as well. An output
                // promises nothing, and how much is known of its sizes differs from engine to engine.
                model == TensorShape.variable || model == configured
                    || direction == .output && configured == TensorShape.variable
            }
        guard !fits else { return nil }
        let explained =
            batches
            ? "an initial batch dimension because max_batch_size > 0 followed by the explicit tensor shape, making "
                + "complete shape \(complete)" : "shape \(complete)"
        return prefix
            + "the model expects \(shape.rank) dimensions (shape \(shape)) but the model configuration specifies "
            + "\(complete.rank) dimensions (\(explained))"
    }
}
