package import Halcyon
package import Tensors

/// A request whose body is the bytes of the model's one input and nothing else (a JSON part of length 0). Its answer's
/// outputs are binary data, too.
package enum RawBinaryRequest {
    /// - Throws: `invalidArgument` where the model has several inputs, or the bytes do not lead to one shape.
    package static func read(
        _ body: Buffer, metadata: ModelMetadata, maxBatchSize: Int, version: Int64?,
        budget: ByteBudget = .unlimited
    ) throws(HalcyonError) -> InferenceCall {
        guard let input = metadata.inputs.first, metadata.inputs.count == 1 else {
            throw HalcyonError(
                .invalidArgument,
                "[request id: <id_unknown>] Raw request must only have 1 input (found 1) to be deduced but got "
                    + "\(metadata.inputs.count) inputs in '\(metadata.name)' model configuration")
        }
        var tensor = Tensor(named: input.name, elementType: input.elementType, shape: [])
        if let size = input.elementType.byteSize {
            tensor.shape = try shape(of: body.byteCount / size, like: input, hasBatch: maxBatchSize > 0)
            tensor.data = body
        } else {
            guard
                input.shape.dimensions.dropFirst(maxBatchSize > 0 ? 1 : 0).allSatisfy({
                    $0 == 1 || $0 == Shape.variable
                })
            else {
                throw HalcyonError(
                    .invalidArgument,
                    "[request id: <id_unknown>] For BYTE datatype raw input '\(input.name)', the model must have input shape [1], "
                        + "and its shape is \(input.shape)")
            }
            tensor.shape = Shape(input.shape.dimensions.map { _ in 1 })
            tensor.data = try element(body, budget)
        }
        var call = InferenceCall(
            request: InferenceRequest(modelName: metadata.name, modelVersion: version, inputs: [tensor]), outputs: [])
        // Who has no JSON to send wants none to read.
        call.prefersBinary = true
        return call
    }

    /// One element of text: its length and its bytes.
    private static func element(_ body: Buffer, _ budget: ByteBudget) throws(HalcyonError) -> Buffer {
        guard let length = UInt32(exactly: body.byteCount) else {
            throw HalcyonError(.invalidArgument, "an element of text is at most \(UInt32.max) bytes long")
        }
        let storage = try budget.allocate(byteCount: body.byteCount + 4)
        storage.baseAddress.storeBytes(of: length.littleEndian, as: UInt32.self)
        body.withUnsafeBytes { bytes in
            guard let first = bytes.baseAddress else { return }
            (storage.baseAddress + 4).copyMemory(from: first, byteCount: bytes.count)
        }
        return Buffer(storage)
    }

    private static func shape(
        of elements: Int, like input: ModelMetadata.TensorMetadata, hasBatch: Bool
    ) throws(HalcyonError) -> Shape {
        var dimensions = input.shape.dimensions
        if hasBatch, !dimensions.isEmpty { dimensions[0] = 1 }
        let open = dimensions.indices.filter { dimensions[$0] == Shape.variable }
        guard open.count <= 1 else {
            throw HalcyonError(
                .invalidArgument,
                "[request id: <id_unknown>] The shape of the raw input '\(input.name)' can not be deduced because "
                    + "there are more than one variable-sized dimension")
        }
        if let index = open.first {
            let others = try Shape(dimensions.enumerated().map { $0.offset == index ? 1 : $0.element }).elementCount()
            dimensions[index] = others > 0 ? elements / others : 0
        }
        return Shape(dimensions)
    }
}
