public import Tensors

/// An input that the engine makes for each batch, from the inputs of its requests (`batch_input`). Clients do not see
/// it.
public struct BatchInput: Hashable, Sendable {
    /// What the input holds; the shape of the tensor stands in front of each.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// [requests]: the elements of each request's source.
        case elementCount = "BATCH_ELEMENT_COUNT"
        /// [requests]: the elements of the request's source and of those before it.
        case accumulatedElementCount = "BATCH_ACCUMULATED_ELEMENT_COUNT"
        /// [requests + 1]: as before, with a 0 in front.
        case accumulatedElementCountWithZero = "BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO"
        /// [the largest element count of all sources]: its shape is what it says, its contents are zeros.
        case maxElementCountAsShape = "BATCH_MAX_ELEMENT_COUNT_AS_SHAPE"
        /// [items, rank of an item]: the shape of each item's source, without the batch.
        case itemShape = "BATCH_ITEM_SHAPE"
        /// [items × rank of an item]: the same in one row.
        case itemShapeFlatten = "BATCH_ITEM_SHAPE_FLATTEN"
    }

    /// What the input holds.
    public var kind: Kind
    /// The model's inputs that get it.
    public var targetNames: [String]
    /// INT32 or FP32.
    public var elementType: ElementType
    /// The input that it is made from.
    public var sourceInput: String

    /// An input of that kind, made from the input `sourceInput` of each request.
    public init(kind: Kind, targetNames: [String], elementType: ElementType, sourceInput: String) {
        self.kind = kind
        self.targetNames = targetNames
        self.elementType = elementType
        self.sourceInput = sourceInput
    }

    /// The shape, with −1 for what differs from batch to batch.
    ///
    /// - Parameter rank: of an item of the source.
    func shape(rank: Int) -> TensorShape { kind == .itemShape ? [TensorShape.variable, rank] : [TensorShape.variable] }
}

/// Outputs that hold the elements of one request after those of another, without rows of a common size
/// (`batch_output`): each request gets as many as its source input's shape says (BATCH_SCATTER_WITH_INPUT_SHAPE).
public struct BatchOutput: Hashable, Sendable {
    /// The model's outputs that are like that.
    public var targetNames: [String]
    /// Open dimensions of the outputs have the size of the same dimension of this input.
    public var sourceInput: String

    /// Outputs whose rows have as many elements as those of `sourceInput`.
    public init(targetNames: [String], sourceInput: String) {
        self.targetNames = targetNames
        self.sourceInput = sourceInput
    }
}
