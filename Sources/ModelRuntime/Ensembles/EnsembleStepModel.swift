package import ModelConfigurations
package import Tensors

/// What an ensemble has to know of the model of a step.
package struct EnsembleStepModel: Sendable {
    package let isDecoupled: Bool
    /// Whether its tensors have a batch in front.
    package let batches: Bool
    /// The dimensions of its inputs, without the batch.
    package let inputs: [String: TensorShape]

    package init(_ configuration: ModelConfiguration) {
        isDecoupled = configuration.isDecoupled
        batches = configuration.maxBatchSize > 0
        inputs = Dictionary(
            configuration.inputs.map { ($0.name, $0.dimensions) }, uniquingKeysWith: { first, _ in first })
    }
}
