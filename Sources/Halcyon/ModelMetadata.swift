public import Tensors

/// A model as its clients see it.
public struct ModelMetadata: Hashable, Sendable {
    /// An input or an output.
    public struct TensorMetadata: Hashable, Sendable {
        /// The name that requests use.
        public var name: String
        /// The elements' type.
        public var elementType: ElementType
        /// The complete shape, with the batch dimension where the model has one; −1 is any size.
        public var shape: TensorShape

        /// An input or an output of a model.
        public init(name: String, elementType: ElementType, shape: TensorShape) {
            self.name = name
            self.elementType = elementType
            self.shape = shape
        }
    }

    /// The model's name.
    public var name: String
    /// The versions that are served, ascending.
    public var versions: [Int64]
    /// What runs it, by Triton's names: `onnxruntime_onnx` for instance, or the name of a backend.
    public var platform: String
    /// The inputs, in the configuration's order.
    public var inputs: [TensorMetadata]
    /// The outputs, in the configuration's order.
    public var outputs: [TensorMetadata]

    /// A model as its clients see it.
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
