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

        public init(name: String, elementType: ElementType, shape: Shape?) {
            self.name = name
            self.elementType = elementType
            self.shape = shape
        }
    }

    public var inputs: [Port]
    public var outputs: [Port]

    public init(inputs: [Port], outputs: [Port]) {
        self.inputs = inputs
        self.outputs = outputs
    }
}
