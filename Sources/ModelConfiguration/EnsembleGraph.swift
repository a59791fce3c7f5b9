package import Tensors

/// How the steps of an ensemble hang together, checked.
package struct EnsembleGraph: Hashable, Sendable {
    /// For each step, the steps whose outputs it needs.
    package let dependencies: [Set<Int>]
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
                        "ensemble tensor '\(tensor)' of ensemble '\(name)' is an input and an output of step \(index)")
                } else if let other = producers[tensor] {
                    complaints.append(
                        "ensemble tensor '\(tensor)' of ensemble '\(name)' can appear in an output map only once, and is in "
                            + "those of the steps \(other) and \(index)")
                }
                producers[tensor] = index
            }
        }
        for input in configuration.inputs where !used.contains(input.name) {
            complaints.append("ensemble input '\(input.name)' for ensemble \(name)' is not used")
        }
        for output in outputs.sorted() where producers[output] == nil {
            complaints.append("ensemble output '\(output)' for ensemble '\(name)' is made by no step")
        }
        for tensor in producers.keys.sorted() where !used.contains(tensor) && !outputs.contains(tensor) {
            complaints.append("ensemble tensor '\(tensor)' of ensemble '\(name)' is made and not used")
        }
        var dependencies: [Set<Int>] = []
        for (index, step) in ensemble.steps.enumerated() {
            for tensor in Set(step.inputMap.values).sorted() where producers[tensor] == nil && !inputs.contains(tensor)
            {
                complaints.append(
                    "step \(index) of ensemble '\(name)', model '\(step.modelName)', needs the tensor '\(tensor)', which is no "
                        + "input of the ensemble, and which no step makes")
            }
            dependencies.append(Set(step.inputMap.values.compactMap { producers[$0] }))
        }
        let stuck = Self.stuck(dependencies)
        if !stuck.isEmpty {
            let steps = stuck.map { "\($0) ('\(ensemble.steps[$0].modelName)')" }.joined(separator: ", ")
            complaints.append("the steps \(steps) of ensemble '\(name)' wait for each other: there is a cycle")
        }
        guard complaints.isEmpty else { throw HalcyonError(.invalidArgument, complaints.joined(separator: "\n")) }
        self.dependencies = dependencies
        self.producers = producers
    }

    /// The steps that never run, as each waits for another of them.
    private static func stuck(_ dependencies: [Set<Int>]) -> [Int] {
        var done: Set<Int> = []
        var left = Set(dependencies.indices)
        while let next = left.first(where: { dependencies[$0].isSubset(of: done) }) {
            done.insert(next)
            left.remove(next)
        }
        return left.sorted()
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
    ///   dimensions that do not agree, a required input without a tensor, a decoupled model.
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
        var known: [String: (tensor: TensorConfiguration, shape: Shape, owner: String)] = [:]
        func meet(_ tensor: String, _ end: TensorConfiguration, of owner: String, _ maxBatchSize: Int) {
            let shape = end.completeShape(maxBatchSize: maxBatchSize)
            guard let other = known[tensor] else {
                known[tensor] = (end, shape, owner)
                return
            }
            let prefix = "in ensemble \(configuration.name), ensemble tensor \(tensor): "
            if other.tensor.elementType != end.elementType {
                complaints.append(
                    prefix
                        + "inconsistent data type: \(end.elementType.configurationName) is inferred from \(owner) while "
                        + "\(other.tensor.elementType.configurationName) is inferred from \(other.owner)")
            }
            if !agree(other.shape, shape) {
                complaints.append(
                    prefix
                        + "inconsistent shape: \(shape) is inferred from \(owner) while \(other.shape) is inferred from "
                        + other.owner)
            }
        }
        for tensor in configuration.inputs + configuration.outputs {
            meet(tensor.name, tensor, of: "ensemble \(configuration.name)", configuration.maxBatchSize)
        }
        for (index, (step, known)) in zip(ensemble.steps, models).enumerated() {
            guard let model = known else { continue }
            if model.isDecoupled {
                complaints.append(
                    "step \(index) of ensemble '\(configuration.name)', model '\(step.modelName)', is decoupled, and steps "
                        + "answer once")
            }
            if configuration.maxBatchSize > 0, model.maxBatchSize > 0, model.maxBatchSize < configuration.maxBatchSize {
                complaints.append(
                    "ensemble '\(configuration.name)' takes batches of \(configuration.maxBatchSize), and step \(index), model "
                        + "'\(step.modelName)', only of \(model.maxBatchSize)")
            }
            let sides = [("input", step.inputMap, model.inputs), ("output", step.outputMap, model.outputs)]
            for (side, map, tensors) in sides {
                for (end, tensor) in map.sorted(by: { $0.key < $1.key }) {
                    guard let found = tensors.first(where: { $0.name == end }) else {
                        complaints.append(
                            "in ensemble \(configuration.name), ensemble tensor \(tensor) is mapping to non-existing \(side) "
                                + "\(end) in model \(step.modelName)"
                                + NameSuggestion.suffix(for: end, among: tensors.map(\.name)))
                        continue
                    }
                    meet(tensor, found, of: "model \(step.modelName)", model.maxBatchSize)
                }
            }
            for input in model.inputs where !input.isOptional && step.inputMap[input.name] == nil {
                complaints.append(
                    "in ensemble \(configuration.name), step \(index) of model '\(step.modelName)' is missing required input "
                        + "'\(input.name)'")
            }
        }
        guard complaints.isEmpty else { throw HalcyonError(.invalidArgument, complaints.joined(separator: "\n")) }
    }

    /// Whether a tensor can have both shapes.
    private static func agree(_ left: Shape, _ right: Shape) -> Bool {
        left.rank == right.rank
            && zip(left.dimensions, right.dimensions).allSatisfy {
                $0 == $1 || $0 == Shape.variable || $1 == Shape.variable
            }
    }
}

extension NameSuggestion {
    /// What to put behind a complaint about a name.
    fileprivate static func suffix(for name: String, among names: [String]) -> String {
        let hint = hint(for: name, among: names)
        return hint.isEmpty ? "" : ", \(hint)"
    }
}
