package import Halcyon
internal import ModelConfigurations
package import Tensors

/// A request whose body is the bytes of the model's one input and nothing else (a JSON part of length 0). Its answer's
/// outputs are binary data, too.
package enum RawBinaryRequest {
    /// - Throws: `invalidArgument` where the model has several inputs, or the bytes do not lead to one shape.
    package static func read(
        _ body: TensorBuffer, for model: ModelInterface, budget: ByteBudget = .unlimited
    ) throws(HalcyonError) -> InferenceCall {
        guard let input = model.inputs.first, model.inputs.count == 1 else {
            throw HalcyonError(
                .invalidArgument,
                "[request id: <id_unknown>] Raw request must only have 1 input (found 1) to be deduced but got "
                    + "\(model.inputs.count) inputs in '\(model.name)' model configuration")
        }
        var tensor = Tensor(named: input.name, elementType: input.elementType, shape: [])
        if let size = input.elementType.byteSize {
            tensor.shape = try shape(of: body.byteCount / size, like: input, model)
            tensor.data = body
        } else {
            guard input.dimensions.dimensions.allSatisfy({ $0 == 1 || $0 == TensorShape.variable }) else {
                throw HalcyonError(
                    .invalidArgument,
                    "[request id: <id_unknown>] For BYTE datatype raw input '\(input.name)', the model must have "
                        + "input shape [1], and its shape is \(model.shape(of: input))")
            }
            tensor.shape = TensorShape(model.shape(of: input).dimensions.map { _ in 1 })
            tensor.data = try element(body, budget)
        }
        var call = InferenceCall(
            request: InferenceRequest(modelName: model.name, modelVersion: model.version, inputs: [tensor]), outputs: []
        )
        // Who has no JSON to send wants none to read.
        call.prefersBinary = true
        return call
    }

    /// One element of text: its length and its bytes.
    private static func element(_ body: TensorBuffer, _ budget: ByteBudget) throws(HalcyonError) -> TensorBuffer {
        guard let length = UInt32(exactly: body.byteCount) else {
            throw HalcyonError(.invalidArgument, "an element of text is at most \(UInt32.max) bytes long")
        }
        let storage = try budget.allocate(byteCount: body.byteCount + 4)
        storage.baseAddress.storeBytes(of: length.littleEndian, as: UInt32.self)
        body.withUnsafeBytes { bytes in
            guard let first = bytes.baseAddress else { return }
            (storage.baseAddress + 4).copyMemory(from: first, byteCount: bytes.count)
        }
        return TensorBuffer(storage)
    }

    private static func shape(
        of elements: Int, like input: TensorConfiguration, _ model: ModelInterface
    ) throws(HalcyonError) -> TensorShape {
        var dimensions = (model.maxBatchSize > 0 ? [1] : []) + input.dimensions.dimensions
        let open = dimensions.indices.filter { dimensions[$0] == TensorShape.variable }
        guard open.count <= 1 else {
            throw HalcyonError(
                .invalidArgument,
                "[request id: <id_unknown>] The shape of the raw input '\(input.name)' can not be deduced because "
                    + "there are more than one variable-sized dimension")
        }
        if let index = open.first {
            let others = try TensorShape(dimensions.enumerated().map { $0.offset == index ? 1 : $0.element })
                .elementCount()
            dimensions[index] = others > 0 ? elements / others : 0
        }
        return TensorShape(dimensions)
    }
}
