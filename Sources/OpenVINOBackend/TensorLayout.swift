internal import ModelConfigurations
internal import Tensors

/// A model's inputs and outputs under the names that requests use, in the engine's order.
struct TensorLayout: Equatable, Sendable {
    let inputs: [Port]
    let outputs: [Port]
    let batch: BatchDimension

    /// Names the ports of a model that was read, and gives its inputs the shapes that configuration and parameters ask
    /// for.
    init(
        _ model: SourceModel, path: String, configuration: ModelConfiguration, parameters: ModelParameters
    ) throws(HalcyonError) {
        let format = ModelFormat(path: path)
        let naming = PortNaming(
            source: model.ports, format: format,
            declaredNames: format == .tensorFlowGraph ? FrozenGraph.terminalNodes(path: path) : [])
        var inputs = try naming.ports(.input, configured: configuration.inputs)
        if parameters.reshapesInputs {
            try Self.reshape(model, inputs, to: configuration)
            inputs = try naming.ports(.input, configured: configuration.inputs)
        }
        batch = try BatchDimension.arrange(
            model, inputs: inputs, maxBatchSize: configuration.maxBatchSize, parameters: parameters)
        self.inputs = try naming.ports(.input, configured: configuration.inputs)
        outputs = try naming.ports(.output, configured: configuration.outputs)
    }

    /// Names the ports of a model that is compiled, and can't be changed any more.
    init(
        compiled ports: PortTable, configuration: ModelConfiguration, parameters: ModelParameters
    ) throws(HalcyonError) {
        guard !parameters.reshapesInputs else {
            throw HalcyonError(
                .invalidArgument, "RESHAPE_IO_LAYERS changes a model's inputs, and those of a compiled model are fixed")
        }
        let naming = PortNaming(source: ports, format: .compiled, declaredNames: [])
        inputs = try naming.ports(.input, configured: configuration.inputs)
        outputs = try naming.ports(.output, configured: configuration.outputs)
        batch = try BatchDimension.arrange(
            nil, inputs: inputs, maxBatchSize: configuration.maxBatchSize, parameters: parameters)
    }

    init(inputs: [Port], outputs: [Port], batch: BatchDimension) {
        self.inputs = inputs
        self.outputs = outputs
        self.batch = batch
    }

    var signature: ModelSignature {
        ModelSignature(
            inputs: inputs.map { $0.signature.openingBatch(batch) },
            outputs: outputs.map { $0.signature.openingBatch(batch) })
    }

    /// `RESHAPE_IO_LAYERS`: the configuration's dimensions in place of the model's own.
    private static func reshape(
        _ model: SourceModel, _ inputs: [Port], to configuration: ModelConfiguration
    ) throws(HalcyonError) {
        let shapes = inputs.enumerated().compactMap { index, input in
            configuration.inputs.first(where: { $0.name == input.name }).map { tensor in
                let shape = tensor.completeShape(maxBatchSize: configuration.maxBatchSize)
                let dimensions = shape.dimensions.map { $0 < 0 ? Port.Dimension.any : .exactly(Int64($0)) }
                return (index: index, dimensions: dimensions)
            }
        }
        guard !shapes.isEmpty else {
            throw HalcyonError(
                .invalidArgument, "RESHAPE_IO_LAYERS needs the dimensions of inputs, and the configuration names none")
        }
        try model.reshapeInputs(shapes)
    }
}
