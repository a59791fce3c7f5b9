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
        let naming = Self.naming(model, path: path)
        var inputs = try naming.ports(.input, configured: configuration.inputs)
        if parameters.reshapesInputs {
            guard inputs.contains(where: { input in configuration.inputs.contains { $0.name == input.name } }) else {
                throw HalcyonError(
                    .invalidArgument,
                    "RESHAPE_IO_LAYERS needs the dimensions of inputs, and the configuration names none")
            }
            try Self.reshape(model, inputs, to: configuration) { _, tensor in
                tensor?.completeShape(maxBatchSize: configuration.maxBatchSize).dimensions.map(Port.Dimension.init)
            }
            inputs = try naming.ports(.input, configured: configuration.inputs)
        }
        batch = try BatchDimension.arrange(
            model, inputs: inputs, maxBatchSize: configuration.maxBatchSize, parameters: parameters)
        self.inputs = try naming.ports(.input, configured: configuration.inputs)
        outputs = try naming.ports(.output, configured: configuration.outputs)
    }

    /// Names the ports of a model that was read, and gives its inputs that batch size, and the configuration's
    /// dimensions where the model leaves them open.
    ///
    /// - Parameter open: of the same model for batches of any size.
    init(
        _ model: SourceModel, path: String, configuration: ModelConfiguration, batchSize: Int, open: TensorLayout
    ) throws(HalcyonError) {
        let naming = Self.naming(model, path: path)
        try Self.reshape(model, open.inputs, to: configuration) { input, tensor in
            let configured = tensor?.modelDimensions.dimensions.map(Port.Dimension.init)
            guard let own = input.dimensions.map({ Array($0.dropFirst()) }) ?? configured else { return nil }
            let wanted = configured?.count == own.count ? configured ?? own : own
            return [.exactly(Int64(batchSize))] + zip(wanted, own).map { $0.fixedSize == nil ? $1 : $0 }
        }
        batch = .fixed(size: batchSize, pads: false)
        inputs = try naming.ports(.input, configured: configuration.inputs)
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

    private static func naming(_ model: SourceModel, path: String) -> PortNaming {
        let format = ModelFormat(path: path)
        return PortNaming(
            source: model.ports, format: format,
            declaredNames: format == .tensorFlowGraph ? FrozenGraph.terminalNodes(path: path) : [])
    }

    /// Gives inputs other dimensions in place of the model's own.
    ///
    /// - Parameter dimensions: those of an input, beside which stands what the configuration says of it; `nil` leaves
    ///   them as they are.
    private static func reshape(
        _ model: SourceModel, _ inputs: [Port], to configuration: ModelConfiguration,
        _ dimensions: (Port, TensorConfiguration?) -> [Port.Dimension]?
    ) throws(HalcyonError) {
        let shapes = inputs.enumerated().compactMap { index, input -> (index: Int, dimensions: [Port.Dimension])? in
            let configured = configuration.inputs.first { $0.name == input.name }
            return dimensions(input, configured).map { (index: index, dimensions: $0) }
        }
        try model.reshapeInputs(shapes)
    }
}
