public import Tensors

/// What a caller asks of a model.
public struct InferenceRequest: Sendable {
    public var modelName: String
    /// `nil` for the newest version that is served.
    public var modelVersion: Int64?
    /// The caller's own name for the request; comes back with the response and in error texts. May be empty.
    public var id: String
    public var inputs: [Tensor]
    /// The outputs to return; empty for all.
    public var requestedOutputs: [String]
    /// 1 (most urgent) to the model's `priority_levels`; 0 for the model's default.
    public var priority: Int
    /// How long the request may wait before it runs, in microseconds; 0 for the model's default. Honoured where the
    /// queue policy allows an override.
    public var timeoutMicroseconds: UInt64
    /// For a model with sequences: which one the request belongs to.
    public var sequence: InferenceSequence?
    /// What is meant for the model itself: a backend that has a use for it gets it with the request, all others pay no heed.
    public var parameters: [InferenceParameter] = []
    /// For a decoupled model: how much may be under way to the caller; `nil` for all that comes.
    package var flow: ResponseFlow?
    /// Where the outputs are to live; `nil` for wherever the processor can read them. Texts always live there.
    public var outputPlacement: MemoryPlacement?
    /// Who wants to know how far the request has come.
    package var trace: (any RequestTrace)?

    public init(
        modelName: String, modelVersion: Int64? = nil, id: String = "", inputs: [Tensor],
        requestedOutputs: [String] = [], priority: Int = 0, timeoutMicroseconds: UInt64 = 0
    ) {
        self.modelName = modelName
        self.modelVersion = modelVersion
        self.id = id
        self.inputs = inputs
        self.requestedOutputs = requestedOutputs
        self.priority = priority
        self.timeoutMicroseconds = timeoutMicroseconds
    }
}
