public import Tensors

/// A request to try a model with before it serves (`model_warmup`).
public struct WarmUpSample: Hashable, Sendable {
    /// What an input is filled with.
    public enum Data: Hashable, Sendable {
        case zero
        case random
        /// A file in the folder `warmup` of the model's folder, with the bytes of one item.
        case file(String)
    }

    public struct Input: Hashable, Sendable {
        public var elementType: ElementType
        /// Without the batch.
        public var dimensions: Shape
        public var data: Data

        public init(elementType: ElementType, dimensions: Shape, data: Data) {
            self.elementType = elementType
            self.dimensions = dimensions
            self.data = data
        }
    }

    public var name: String
    /// Items; 0 for a model that does not batch, and for one item.
    public var batchSize = 0
    /// By the name of the model's input.
    public var inputs: [String: Input] = [:]
    /// How often it runs; at least 1.
    public var count = 1

    public init(name: String) { self.name = name }
}
