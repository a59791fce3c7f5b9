public import Tensors

/// What a model says of its own tensors.
public struct ModelSignature: Hashable, Sendable {
    /// One input or output.
    public struct Port: Hashable, Sendable {
        public var name: String
        public var elementType: ElementType
        /// The complete shape, with the batch dimension if there is one; −1 is any size. `nil` where not even the rank
        /// is known.
        public var shape: Shape?
        /// Whether the model has a value of its own for it: a configuration may name it, as an input that is optional. Inputs
        /// only.
        public var isOptional: Bool

        public init(name: String, elementType: ElementType, shape: Shape?, isOptional: Bool = false) {
            self.name = name
            self.elementType = elementType
            self.shape = shape
            self.isOptional = isOptional
        }
    }

    public var inputs: [Port]
    public var outputs: [Port]

    public init(inputs: [Port], outputs: [Port]) {
        self.inputs = inputs
        self.outputs = outputs
    }
}
