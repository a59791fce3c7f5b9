public import Tensors

/// A request to try a model with before it serves (`model_warmup`).
public struct WarmUpSample: Hashable, Sendable {
    /// What an input is filled with.
    public enum Data: Hashable, Sendable {
        /// Zeros; empty texts.
        case zero
        /// Random numbers of the whole range of the type.
        case random
        /// A file in the folder `warmup` of the model's folder, with the bytes of one item.
        case file(String)
    }

    /// One input of the sample.
    public struct Input: Hashable, Sendable {
        /// The elements' type.
        public var elementType: ElementType
        /// Without the batch.
        public var dimensions: TensorShape
        /// What its elements are.
        public var data: Data

        /// An input of one item, without the batch.
        public init(elementType: ElementType, dimensions: TensorShape, data: Data) {
            self.elementType = elementType
            self.dimensions = dimensions
            self.data = data
        }
    }

    /// How often a sample may run.
    package static let maximumCount = 10_000

    /// What it is called in errors; may be empty.
    public var name: String
    /// Items a batch: 1 for a model that does not batch. A sample of 0 is not run.
    public var batchSize = 0
    /// By the name of the model's input. Those that the sequence batcher makes may be among them.
    public var inputs: [String: Input] = [:]
    /// How often it runs; at least 1.
    public var count = 1

    /// A sample of that name that runs once, without inputs yet.
    public init(name: String) { self.name = name }
}
