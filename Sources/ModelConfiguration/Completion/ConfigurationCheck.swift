package import Tensors

/// Compares a complete configuration with what the model says of itself.
package enum ConfigurationCheck {
    /// - Throws: `invalidArgument` with every disagreement, a line each, in the reference's words.
    package static func check(
        _ configuration: ModelConfiguration, against signature: ModelSignature
    ) throws(HalcyonError) {
        var complaints: [String] = []
        if configuration.inputs.count != signature.inputs.count {
            complaints.append(
                "unable to load model '\(configuration.name)', configuration expects \(configuration.inputs.count) inputs, "
                    + "model provides \(signature.inputs.count)")
        }
        complaints += disagreements(configuration, configuration.inputs, signature.inputs, "input")
        complaints += disagreements(configuration, configuration.outputs, signature.outputs, "output")
        guard complaints.isEmpty else { throw HalcyonError(.invalidArgument, complaints.joined(separator: "\n")) }
    }

    private static func disagreements(
        _ configuration: ModelConfiguration, _ tensors: [TensorConfiguration], _ ports: [ModelSignature.Port],
        _ what: String
    ) -> [String] {
        tensors.flatMap { tensor -> [String] in
            guard let port = ports.first(where: { $0.name == tensor.name }) else {
                let allowed = ports.map(\.name).joined(separator: ", ")
                return [
                    "model '\(configuration.name)': unexpected inference \(what) '\(tensor.name)', allowed \(what)s are: "
                        + allowed
                ]
            }
            return [
                typeDisagreement(configuration, tensor, port, what), shapeDisagreement(configuration, tensor, port),
            ].compactMap { $0 }
        }
    }

    private static func typeDisagreement(
        _ configuration: ModelConfiguration, _ tensor: TensorConfiguration, _ port: ModelSignature.Port, _ what: String
    ) -> String? {
        guard tensor.elementType != port.elementType else { return nil }
        return "unable to load model '\(configuration.name)', configuration expects datatype "
            + "\(tensor.elementType.configurationName) for \(what) '\(tensor.name)', model provides "
            + port.elementType.configurationName
    }

    private static func shapeDisagreement(
        _ configuration: ModelConfiguration, _ tensor: TensorConfiguration, _ port: ModelSignature.Port
    ) -> String? {
        guard let shape = port.shape else { return nil }
        let complete = tensor.completeShape(maxBatchSize: configuration.maxBatchSize)
        let batches = configuration.maxBatchSize > 0
        // A model whose batch dimension is fixed can only be said to batch where the engine has opened it.
        let fits =
            shape.rank == complete.rank
            && zip(shape.dimensions, complete.dimensions).allSatisfy { $0 == Shape.variable || $0 == $1 }
        guard !fits else { return nil }
        let explained =
            batches
            ? "an initial batch dimension because max_batch_size > 0 followed by the explicit tensor shape, making "
                + "complete shape \(complete)" : "shape \(complete)"
        return "model '\(configuration.name)', tensor '\(tensor.name)': the model expects \(shape.rank) dimensions "
            + "(shape \(shape)) but the model configuration specifies \(complete.rank) dimensions (\(explained))"
    }
}
