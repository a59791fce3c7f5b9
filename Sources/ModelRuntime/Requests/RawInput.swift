package import ModelConfigurations
package import Tensors

/// The input of a request that brings nothing but bytes: name, type and shape follow from the model's configuration.
package struct RawInput {
    private let model: String
    private let inputs: [TensorConfiguration]
    private let maxBatchSize: Int

    /// - Parameters:
    ///   - inputs: those of the model.
    ///   - maxBatchSize: 0 for a model that does not batch.
    package init(model: String, inputs: [TensorConfiguration], maxBatchSize: Int) {
        self.model = model
        self.inputs = inputs
        self.maxBatchSize = maxBatchSize
    }

    /// - Parameter allocate: gives the memory for an element of text, which begins with its length.
    /// - Throws: `invalidArgument` where the model has several inputs, or the bytes do not lead to one shape; what
    ///   `allocate` throws.
    package func tensor(
        _ body: TensorBuffer,
        allocate: (Int) throws(HalcyonError) -> TensorStorage = { .allocate(byteCount: $0) }
    ) throws(HalcyonError) -> Tensor {
        guard let input = inputs.first, inputs.count == 1 else {
            throw HalcyonError(
                .invalidArgument,
                "[request id: <id_unknown>] Raw request must only have 1 input (found 1) to be deduced but got "
                    + "\(inputs.count) inputs in '\(model)' model configuration")
        }
        if let size = input.elementType.byteSize {
            return Tensor(
                unchecked: input.name, elementType: input.elementType,
                shape: try shape(of: body.byteCount / size, like: input), data: body)
        }
        let shape = input.completeShape(maxBatchSize: maxBatchSize)
        guard input.dimensions.dimensions.allSatisfy({ $0 == 1 || $0 == TensorShape.variable }) else {
            throw HalcyonError(
                .invalidArgument,
                "[request id: <id_unknown>] For BYTE datatype raw input '\(input.name)', the model must have "
                    + "input shape [1], and its shape is \(shape)")
        }
        return Tensor(
            unchecked: input.name, elementType: input.elementType,
            shape: TensorShape(shape.dimensions.map { _ in 1 }), data: try element(body, allocate))
    }

    /// One element of text: its length and its bytes.
    private func element(
        _ body: TensorBuffer, _ allocate: (Int) throws(HalcyonError) -> TensorStorage
    ) throws(HalcyonError) -> TensorBuffer {
        guard let length = UInt32(exactly: body.byteCount) else {
            throw HalcyonError(.invalidArgument, "an element of text is at most \(UInt32.max) bytes long")
        }
        let storage = try allocate(body.byteCount + 4)
        storage.baseAddress.storeBytes(of: length.littleEndian, as: UInt32.self)
        try body.copy(to: storage.baseAddress + 4)
        return TensorBuffer(storage)
    }

    private func shape(of elements: Int, like input: TensorConfiguration) throws(HalcyonError) -> TensorShape {
        var dimensions = (maxBatchSize > 0 ? [1] : []) + input.dimensions.dimensions
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
