public import Tensors

/// A model as its clients see it.
public struct ModelMetadata: Hashable, Sendable {
    /// An input or an output.
    public struct TensorMetadata: Hashable, Sendable {
        public var name: String
        public var elementType: ElementType
        /// The complete shape, with the batch dimension where the model has one; −1 is any size.
        public var shape: Shape

        public init(name: String, elementType: ElementType, shape: Shape) {
            self.name = name
            self.elementType = elementType
            self.shape = shape
        }
    }

    public var name: String
    /// The versions that are served, ascending.
    public var versions: [Int64]
    public var platform: String
    public var inputs: [TensorMetadata]
    public var outputs: [TensorMetadata]

    public init(
        name: String, versions: [Int64], platform: String, inputs: [TensorMetadata], outputs: [TensorMetadata]
    ) {
        self.name = name
        self.versions = versions
        self.platform = platform
        self.inputs = inputs
        self.outputs = outputs
    }
}
