package import Tensors

/// Which steps of an ensemble run once a request, and which once for each response of a decoupled step.
///
/// Stream 0 is the request itself. Each decoupled step begins another, whose items are its responses. A step runs in
/// the stream that all of its inputs belong to, once for each item.
package struct EnsembleStreams: Hashable, Sendable {
    /// For each step, the stream in which it runs.
    package let ofStep: [Int]
    /// For each step, the stream of what it makes: the one in which it runs, or its own where it is decoupled.
    package let ofOutputs: [Int]
    /// The stream of the ensemble's outputs: 0 where it gives one response, or else it gives one for each item.
    package let output: Int

    /// Whether the ensemble gives any number of responses.
    package var isDecoupled: Bool { ofStep != ofOutputs }

    package func isDecoupled(step: Int) -> Bool { ofStep[step] != ofOutputs[step] }

    /// - Parameter decoupled: for each step, whether its model gives any number of responses.
    /// - Throws: `invalidArgument` for a step, or outputs of the ensemble, that belong to several streams.
    package init(
        _ configuration: ModelConfiguration, _ ensemble: EnsembleScheduling, _ graph: EnsembleGraph,
        decoupled: [Bool]
    ) throws(HalcyonError) {
        var ofStep = [Int](repeating: 0, count: ensemble.steps.count)
        var ofOutputs = ofStep
        var next = 1
        func common(_ tensors: [String], of model: String) throws(HalcyonError) -> Int {
            let streams = Dictionary(grouping: tensors) { graph.producers[$0].map { ofOutputs[$0] } ?? 0 }
            guard streams.count > 1 else { return streams.keys.first ?? 0 }
            let groups = streams.values.map { "'" + $0.sorted().joined(separator: "', '") + "'" }.sorted()
            throw HalcyonError(
                .invalidArgument,
                "in ensemble \(configuration.name), step of model '\(model)' receives inputs originated from different "
                    + "decoupled models: \(groups.joined(separator: " and ")) come once for each response of different "
                    + "models, and can't be put together")
        }
        for step in graph.order {
            ofStep[step] = try common(
                Array(ensemble.steps[step].inputMap.values), of: ensemble.steps[step].modelName)
            ofOutputs[step] = ofStep[step]
            if decoupled.indices.contains(step), decoupled[step] {
                ofOutputs[step] = next
                next += 1
            }
        }
        output = try common(configuration.outputs.map(\.name), of: configuration.name)
        self.ofStep = ofStep
        self.ofOutputs = ofOutputs
    }
}
