public import Tensors

/// What a model says of its own tensors.
public struct ModelSignature: Hashable, Sendable {
    /// One input or output.
    public struct Port: Hashable, Sendable {
        /// The name in the model.
        public var name: String
        /// The elements' type.
        public var elementType: ElementType
        /// The complete shape, with the batch dimension if there is one; −1 is any size. `nil` where not even the rank
        /// is known.
        public var shape: TensorShape?
        /// Whether the model has a value of its own for it: a configuration may name it, as an input that is optional.
        /// Inputs only.
        public var isOptional: Bool

        /// An input or output as the model declares it.
        public init(name: String, elementType: ElementType, shape: TensorShape?, isOptional: Bool = false) {
            self.name = name
            self.elementType = elementType
            self.shape = shape
            self.isOptional = isOptional
        }
    }

    /// The inputs, in the model's order.
    public var inputs: [Port]
    /// The outputs, in the model's order.
    public var outputs: [Port]

    /// The tensors that a model declares.
    public init(inputs: [Port], outputs: [Port]) {
        self.inputs = inputs
        self.outputs = outputs
    }
}
