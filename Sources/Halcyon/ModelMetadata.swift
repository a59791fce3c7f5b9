public import Tensors

/// A model as its clients see it.
public struct ModelMetadata: Hashable, Sendable {
    /// An input or an output.
    public struct TensorMetadata: Hashable, Sendable {
        public var name: String
        public var elementType: ElementType
        /// The complete shape, with the batch dimension where the model has one; −1 is any size.
        public var shape: Shape
    }

    public var name: String
    /// The versions that are served, ascending.
    public var versions: [Int64]
    public var platform: String
    public var inputs: [TensorMetadata]
    public var outputs: [TensorMetadata]
}
