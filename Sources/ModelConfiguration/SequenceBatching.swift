public import Tensors

/// How requests that belong together reach a model that keeps a state (`sequence_batching`).
public struct SequenceBatching: Hashable, Sendable {
    public enum Strategy: Hashable, Sendable {
        /// Each sequence keeps one row of an instance's batches.
        case direct(maxQueueDelayMicroseconds: UInt64, minimumSlotUtilization: Float)
        /// Requests of different sequences are batched, the oldest first.
        case oldest(
            maxCandidateSequences: Int, preferredBatchSizes: [Int], maxQueueDelayMicroseconds: UInt64,
            preserveOrdering: Bool)
    }

    /// An input by which the model is told of a request's place in its sequence.
    public struct Control: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable, CaseIterable {
            case start = "CONTROL_SEQUENCE_START"
            case ready = "CONTROL_SEQUENCE_READY"
            case end = "CONTROL_SEQUENCE_END"
            case correlationID = "CONTROL_SEQUENCE_CORRID"
        }

        public var inputName: String
        public var kind: Kind
        public var elementType: ElementType
        /// The element for *no* and for *yes*; 0 and 1 for the correlation id, which has none.
        public var falseTrue: [Float]

        public init(inputName: String, kind: Kind, elementType: ElementType, falseTrue: [Float] = [0, 1]) {
            self.inputName = inputName
            self.kind = kind
            self.elementType = elementType
            self.falseTrue = falseTrue
        }
    }

    /// A tensor that goes from a request of a sequence to the next one of it, and that clients do not see.
    public struct State: Hashable, Sendable {
        public var inputName: String
        public var outputName: String
        public var elementType: ElementType
        /// Without the batch; −1 is any size.
        public var dimensions: Shape
        /// What a sequence begins with; zeros where it is `nil`.
        public var initial: Initial?

        /// The dimensions that a sequence begins with, without the batch: an open one that nobody gives a size is 1.
        package var initialDimensions: Shape {
            initial?.dimensions ?? Shape(dimensions.dimensions.map { $0 == Shape.variable ? 1 : $0 })
        }

        public init(inputName: String, outputName: String, elementType: ElementType, dimensions: Shape) {
            self.inputName = inputName
            self.outputName = outputName
            self.elementType = elementType
            self.dimensions = dimensions
        }
    }

    public struct Initial: Hashable, Sendable {
        public var name: String
        public var dimensions: Shape
        /// A file in the folder `initial_state` of the model's folder; `nil` for zeros.
        public var file: String?

        public init(name: String, dimensions: Shape, file: String? = nil) {
            self.name = name
            self.dimensions = dimensions
            self.file = file
        }
    }

    public var strategy: Strategy
    /// How long a sequence may have no request before it is ended, in microseconds; 0 for a second.
    public var maxSequenceIdleMicroseconds: UInt64 = 0
    public var controls: [Control] = []
    public var states: [State] = []

    public init(strategy: Strategy) { self.strategy = strategy }
}
