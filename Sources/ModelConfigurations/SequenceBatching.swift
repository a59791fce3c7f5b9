public import Tensors

/// How requests that belong together reach a model that keeps a state (`sequence_batching`).
public struct SequenceBatching: Hashable, Sendable {
    /// How the requests of sequences share an instance's batches.
    public enum Strategy: Hashable, Sendable {
        /// Each sequence keeps one row of an instance's batches. A batch waits for more rows as long as the delay says,
        /// zero for not at all, or until that share of the rows, from 0 to 1, has a request.
        case direct(maxQueueDelay: Duration, minimumSlotUtilization: Float)
        /// Requests of different sequences are batched, the oldest first. 0 candidates are as many as a batch holds;
        /// the delay is how long a batch waits for more requests, zero for not at all.
        case oldest(
            maxCandidateSequences: Int, preferredBatchSizes: [Int], maxQueueDelay: Duration,
            preserveOrdering: Bool)
    }

    /// An input by which the model is told of a request's place in its sequence.
    public struct Control: Hashable, Sendable {
        /// What a control input says.
        public enum Kind: String, Hashable, Sendable, CaseIterable {
            /// Whether the request is the first of its sequence.
            case start = "CONTROL_SEQUENCE_START"
            /// Whether there is a request for this row of the batch.
            case ready = "CONTROL_SEQUENCE_READY"
            /// Whether the request is the last of its sequence.
            case end = "CONTROL_SEQUENCE_END"
            /// Which sequence the request belongs to.
            case correlationID = "CONTROL_SEQUENCE_CORRID"
        }

        /// The model's input.
        public var inputName: String
        /// What it says.
        public var kind: Kind
        /// The input's type: FP32, INT32 or BOOL; for the correlation id an integer of 32 or 64 bits, or BYTES.
        public var elementType: ElementType
        /// The element for *no* and for *yes*; 0 and 1 for the correlation id, which has none.
        public var falseTrue: [Float]

        /// A control; where ``falseTrue`` is left out, 0 is *no* and 1 is *yes*.
        public init(inputName: String, kind: Kind, elementType: ElementType, falseTrue: [Float] = [0, 1]) {
            self.inputName = inputName
            self.kind = kind
            self.elementType = elementType
            self.falseTrue = falseTrue
        }
    }

    /// A tensor that goes from a request of a sequence to the next one of it, and that clients do not see.
    public struct State: Hashable, Sendable {
        /// The model's input that gets it.
        public var inputName: String
        /// The model's output that it comes from.
        public var outputName: String
        /// The type of both.
        public var elementType: ElementType
        /// Without the batch; −1 is any size.
        public var dimensions: TensorShape
        /// What a sequence begins with; zeros where it is `nil`.
        public var initial: Initial?

        /// The dimensions that a sequence begins with, without the batch: an open one that nobody gives a size is 1.
        package var initialDimensions: TensorShape {
            initial?.dimensions ?? TensorShape(dimensions.dimensions.map { $0 == TensorShape.variable ? 1 : $0 })
        }

        /// A state that begins with zeros.
        public init(inputName: String, outputName: String, elementType: ElementType, dimensions: TensorShape) {
            self.inputName = inputName
            self.outputName = outputName
            self.elementType = elementType
            self.dimensions = dimensions
        }
    }

    /// What a sequence begins with, in place of zeros.
    public struct Initial: Hashable, Sendable {
        /// A name for messages.
        public var name: String
        /// The dimensions at the beginning, without the batch.
        public var dimensions: TensorShape
        /// A file in the folder `initial_state` of the model's folder; `nil` for zeros.
        public var file: String?

        /// A beginning from a file of that name; zeros without one.
        public init(name: String, dimensions: TensorShape, file: String? = nil) {
            self.name = name
            self.dimensions = dimensions
            self.file = file
        }
    }

    /// How sequences share batches.
    public var strategy: Strategy
    /// ``maxSequenceIdle`` in microseconds, as configurations write it.
    package var maxSequenceIdleMicroseconds: UInt64 = 0
    /// The inputs by which the model learns where in a sequence a request stands; empty for none.
    public var controls: [Control] = []
    /// The tensors that the server keeps for the model; empty where the model remembers for itself.
    public var states: [State] = []

    /// Whether each request is a sequence of its own, whose request the model puts back until it has answered it.
    public var isIterative = false

    /// Sequences that end after a second without a request, with neither controls nor states.
    public init(strategy: Strategy) { self.strategy = strategy }

    /// How long a sequence may have no request before it is ended, in whole microseconds; zero for a second.
    public var maxSequenceIdle: Duration {
        get { Duration(microseconds: maxSequenceIdleMicroseconds) }
        set { maxSequenceIdleMicroseconds = newValue.wholeMicroseconds }
    }
}
