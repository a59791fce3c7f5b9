package import Tensors

/// How the steps of an ensemble hang together, checked.
package struct EnsembleGraph: Hashable, Sendable {
    /// For each step, the steps whose outputs it needs.
    package let dependencies: [Set<Int>]
    /// The steps, each behind those that it needs.
    package let order: [Int]
    /// The step that makes each tensor; inputs of the ensemble are made by none.
    package let producers: [String: Int]

    /// - Throws: `invalidArgument` with every complaint: a tensor that nobody makes, that two make or that nobody uses,
    ///   and steps that wait for each other.
    package init(_ configuration: ModelConfiguration, _ ensemble: EnsembleScheduling) throws(HalcyonError) {
        var complaints: [String] = []
        let name = configuration.name
        let inputs = Set(configuration.inputs.map(\.name))
        let outputs = Set(configuration.outputs.map(\.name))
        var producers: [String: Int] = [:]
        var used: Set<String> = []
        for (index, step) in ensemble.steps.enumerated() {
            used.formUnion(step.inputMap.values)
            for tensor in step.outputMap.values.sorted() {
                if inputs.contains(tensor) {
                    complaints.append(
                        "ensemble tensor '\(tensor)' can appear in an output map only once for ensemble '\(name)' "
                            + "step \(index): it is an input of the ensemble")
                } else if let other = producers[tensor] {
                    complaints.append(
                        "ensemble tensor '\(tensor)' can appear in an output map only once for ensemble '\(name)' "
                            + "step \(index): step \(other) makes it too")
                }
                producers[tensor] = index
            }
        }
        for input in configuration.inputs where !used.contains(input.name) {
            complaints.append("ensemble input '\(input.name)' for ensemble \(name)' is not used")
        }
        for output in outputs.sorted() where producers[output] == nil && !inputs.contains(output) {
            complaints.append(
                used.contains(output)
                    ? "output '\(output)' for ensemble '\(name)' is not written: no step makes it"
                    : "ensemble output '\(output)' for ensemble \(name)' is not used: no step makes it")
        }
        for tensor in producers.keys.sorted() where !used.contains(tensor) && !outputs.contains(tensor) {
            complaints.append(
                "ensemble tensor '\(tensor)' is unused in ensemble '\(name)': a step makes it, and no step takes it")
        }
        var dependencies: [Set<Int>] = []
        for (index, step) in ensemble.steps.enumerated() {
            for tensor in Set(step.inputMap.values).sorted() where producers[tensor] == nil && !inputs.contains(tensor)
            {
                complaints.append(
                    "\(Self.unwritten(tensor, of: step, in: name, outputs)): step \(index), model "
                        + "'\(step.modelName)', needs it, it is no input of the ensemble, and no step makes it"
                        + NameSuggestion.suffix(for: tensor, among: Array(inputs) + Array(producers.keys)))
            }
            dependencies.append(Set(step.inputMap.values.compactMap { producers[$0] }))
        }
        let order = Self.order(dependencies)
        let stuck = dependencies.indices.filter { !order.contains($0) }
        if !stuck.isEmpty {
            let steps = stuck.map { "\($0) ('\(ensemble.steps[$0].modelName)')" }.joined(separator: ", ")
            let step = ensemble.steps[stuck[0]]
            let tensor = step.inputMap.values.sorted().first { producers[$0].map(stuck.contains) == true } ?? ""
            complaints.append(
                "\(Self.unwritten(tensor, of: step, in: name, outputs)): the steps \(steps) wait for each other: "
                    + "there is a cycle"
            )
        }
        guard complaints.isEmpty else { throw HalcyonError(.invalidArgument, complaints.joined(separator: "\n")) }
        self.dependencies = dependencies
        self.order = order
        self.producers = producers
    }

    /// That a tensor which a step takes does not come, in Triton's words.
    private static func unwritten(
        _ tensor: String, of step: EnsembleScheduling.Step, in ensemble: String, _ outputs: Set<String>
    ) -> String {
        guard let output = step.outputMap.values.sorted().first(where: outputs.contains) else {
            return "ensemble tensor '\(tensor)' is unused in ensemble '\(ensemble)'"
        }
        let start = "output '\(output)' for ensemble '\(ensemble)' is not written"
        return output == tensor
            ? start : "\(start): at least one of its depending tensors, '\(tensor)', is not connected"
    }

    /// The steps, each behind those that it needs. Those that wait for each other are not among them.
    private static func order(_ dependencies: [Set<Int>]) -> [Int] {
        var order: [Int] = []
        var left = Array(dependencies.indices)
        while let position = left.firstIndex(where: { dependencies[$0].isSubset(of: order) }) {
            order.append(left.remove(at: position))
        }
        return order
    }

    /// The steps that have to run for some outputs.
    ///
    /// - Parameter outputs: empty for all of the ensemble's.
    package func steps(for outputs: [String]) -> Set<Int> {
        guard !outputs.isEmpty else { return Set(dependencies.indices) }
        var steps: Set<Int> = []
        var open = outputs.compactMap { producers[$0] }
        while let step = open.popLast() {
            if steps.insert(step).inserted { open += dependencies[step] }
        }
        return steps
    }

    /// Compares an ensemble with the models of its steps.
    ///
    /// - Parameter models: the effective configuration of each step's model.
    /// - Throws: `invalidArgument` with every complaint: an input or output that a model does not have, types or
    ///   dimensions that do not agree, a required input without a tensor, responses of several decoupled models in one
    ///   step.
    package static func check(
        _ configuration: ModelConfiguration, _ ensemble: EnsembleScheduling, against models: [ModelConfiguration]
    ) throws(HalcyonError) {
        try check(configuration, ensemble, againstKnown: models)
    }

    /// The same, with `nil` for a model of which nothing is known.
    package static func check(
        _ configuration: ModelConfiguration, _ ensemble: EnsembleScheduling, againstKnown models: [ModelConfiguration?]
    ) throws(HalcyonError) {
        var complaints: [String] = []
        var known: [String: TensorEnd] = [:]
        func meet(_ tensor: String, _ end: TensorEnd) {
            guard let other = known[tensor] else {
                known[tensor] = end
                return
            }
            let prefix = "in ensemble \(configuration.name), ensemble tensor \(tensor): "
            if other.elementType != end.elementType {
                complaints.append(
                    prefix
                        + "inconsistent data type: \(other.elementType.configurationName) is inferred from model "
                        + "\(other.owner) while \(end.elementType.configurationName) is inferred from model "
                        + "\(end.owner)")
            }
            if !other.agrees(with: end) {
                complaints.append(
                    prefix
                        + "inconsistent shape: \(other.complete) is inferred from model \(other.owner) while "
                        + "\(end.complete) is inferred from model \(end.owner)")
            }
        }
        for tensor in configuration.inputs + configuration.outputs {
            meet(tensor.name, TensorEnd(tensor, tensor.modelDimensions, of: configuration))
        }
        for (index, (step, known)) in zip(ensemble.steps, models).enumerated() {
            guard let model = known else { continue }
            if configuration.maxBatchSize > 0, model.maxBatchSize > 0, model.maxBatchSize < configuration.maxBatchSize {
                complaints.append(
                    "ensemble \(configuration.name) allows maximum batch size \(configuration.maxBatchSize), but it "
                        + "contains model \(step.modelName) which only allows maximum batch size to be "
                        + "\(model.maxBatchSize): step \(index)")
            }
            let sides = [
                ("mapping to non-existing input", step.inputMap, model.inputs),
                ("mapped from non-existing output", step.outputMap, model.outputs),
            ]
            for (side, map, tensors) in sides {
                for (end, tensor) in map.sorted(by: { $0.key < $1.key }) {
                    guard let found = tensors.first(where: { $0.name == end }) else {
                        complaints.append(
                            "in ensemble \(configuration.name), ensemble tensor \(tensor) is \(side) "
                                + "\(end) in model \(step.modelName)"
                                + NameSuggestion.suffix(for: end, among: tensors.map(\.name)))
                        continue
                    }
                    meet(tensor, TensorEnd(found, found.dimensions, of: model))
                }
            }
            for input in model.inputs where !input.isOptional && step.inputMap[input.name] == nil {
                complaints.append(
                    "in ensemble \(configuration.name), input \(input.name) in model \(step.modelName) is not mapped "
                        + "to any ensemble tensors: step \(index) needs it")
            }
        }
        // What is wrong with the graph itself is told when it is made.
        if let graph = try? EnsembleGraph(configuration, ensemble) {
            do throws(HalcyonError) {
                let decoupled = models.map { $0?.isDecoupled ?? false }
                let streams = try EnsembleStreams(configuration, ensemble, graph, decoupled: decoupled)
                if streams.isDecoupled, configuration.usesResponseCache {
                    complaints.append(
                        "response caching is not supported in decoupled mode. Please disable response caching or "
                            + "decoupled mode for model '\(configuration.name)': it is an ensemble with decoupled "
                            + "steps")
                }
            } catch {
                complaints.append(error.message)
            }
        }
        guard complaints.isEmpty else { throw HalcyonError(.invalidArgument, complaints.joined(separator: "\n")) }
    }
}

/// One end of a tensor's way: what a model, or the ensemble itself, says of it.
private struct TensorEnd {
    var elementType: ElementType
    /// Without the batch.
    var dimensions: TensorShape
    /// With it, where the model batches.
    var complete: TensorShape
    var owner: String

    init(_ tensor: TensorConfiguration, _ dimensions: TensorShape, of model: ModelConfiguration) {
        elementType = tensor.elementType
        self.dimensions = dimensions
        complete = model.maxBatchSize > 0 ? dimensions.prepending(TensorShape.variable) : dimensions
        owner = model.name
    }

    /// Whether a tensor can have both shapes: as an item of a batch, which is put into one and taken out of it, or with
    /// the batch as a dimension like others.
    func agrees(with other: TensorEnd) -> Bool {
        Self.agree(dimensions, other.dimensions) || Self.agree(complete, other.complete)
    }

    private static func agree(_ left: TensorShape, _ right: TensorShape) -> Bool {
        left.rank == right.rank
            && zip(left.dimensions, right.dimensions).allSatisfy {
                $0 == $1 || $0 == TensorShape.variable || $1 == TensorShape.variable
            }
    }
}
