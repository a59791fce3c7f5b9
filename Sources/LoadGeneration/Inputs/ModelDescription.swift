package import Tensors

/// What one must know of a model to ask it something.
package struct ModelDescription: Hashable, Sendable {
    package struct Port: Hashable, Sendable {
        package var name: String
        package var elementType: ElementType
        /// Without the batch dimension; −1 for one of any size.
        package var shape: TensorShape
        package var isOptional = false

        package init(name: String, elementType: ElementType, shape: TensorShape, isOptional: Bool = false) {
            self.name = name
            self.elementType = elementType
            self.shape = shape
            self.isOptional = isOptional
        }
    }

    package var name: String
    /// The version that is asked; empty for the newest.
    package var version: String
    /// 0 for a model that takes no batches.
    package var maxBatchSize: Int
    package var inputs: [Port]
    package var outputs: [Port]
    /// Whether a request has any number of responses.
    package var isDecoupled = false
    package var hasSequences = false

    package init(name: String, version: String, maxBatchSize: Int, inputs: [Port], outputs: [Port]) {
        self.name = name
        self.version = version
        self.maxBatchSize = maxBatchSize
        self.inputs = inputs
        self.outputs = outputs
    }

    /// Takes the batch dimension off the shapes that metadata shows.
    mutating func removeBatchDimension() {
        guard maxBatchSize > 0 else { return }
        for index in inputs.indices {
            inputs[index].shape = TensorShape(Array(inputs[index].shape.dimensions.dropFirst()))
        }
        for index in outputs.indices {
            outputs[index].shape = TensorShape(Array(outputs[index].shape.dimensions.dropFirst()))
        }
    }
}
