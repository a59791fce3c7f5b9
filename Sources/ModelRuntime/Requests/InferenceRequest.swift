public import Tensors

/// What a caller asks of a model.
public struct InferenceRequest: Sendable {
    /// The model that is asked.
    public var modelName: String
    /// `nil` for the newest version that is served.
    public var modelVersion: Int64?
    /// The caller's own name for the request; comes back with the response and in error texts. May be empty.
    public var id: String
    /// The inputs, in any order.
    public var inputs: [Tensor]
    /// The outputs to return; empty for all.
    public var requestedOutputs: [String]
    /// 1 (most urgent) to the model's `priority_levels`; 0 for the model's default.
    public var priority: Int
    /// ``timeout`` in microseconds, as the protocols bring it.
    package var timeoutMicroseconds: UInt64
    /// For a model with sequences: which one the request belongs to.
    public var sequence: InferenceSequence?
    /// What is meant for the model itself: a backend that has a use for it gets it with the request, all others pay no
    /// heed.
    public var parameters: [InferenceParameter] = []
    /// For a decoupled model: how much may be under way to the caller; `nil` for all that comes.
    package var flow: ResponseFlow?
    /// Where the outputs are to live; `nil` for wherever the processor can read them. Texts always live there.
    public var outputPlacement: MemoryPlacement?
    /// Who has memory for the outputs; `nil` for whoever makes them.
    package var outputMemory: (any OutputMemory)?
    /// What errors call a request without an id: Triton's clients look for `<id_unknown>`. Empty for users of the
    /// library, whose errors then don't speak of the request.
    package var nameWithoutID = ""
    /// Who wants to know how far the request has come.
    package var trace: (any RequestTrace)?
    /// Called when a backend that takes requests one by one has given this one back: its inputs are not read any more.
    /// It may still be answered. Other backends say nothing; a request has gone when nobody refers to its inputs.
    package var givenBack: (@Sendable () -> Void)?

    /// A request of the newest version for all outputs, without a timeout of its own, unless the arguments say
    /// otherwise.
    public init(
        modelName: String, modelVersion: Int64? = nil, id: String = "", inputs: [Tensor],
        requestedOutputs: [String] = [], priority: Int = 0, timeout: Duration = .zero
    ) {
        self.init(
            modelName: modelName, modelVersion: modelVersion, id: id, inputs: inputs,
            requestedOutputs: requestedOutputs, priority: priority, timeoutMicroseconds: timeout.wholeMicroseconds)
    }

    package init(
        modelName: String, modelVersion: Int64? = nil, id: String = "", inputs: [Tensor],
        requestedOutputs: [String] = [], priority: Int = 0, timeoutMicroseconds: UInt64
    ) {
        self.modelName = modelName
        self.modelVersion = modelVersion
        self.id = id
        self.inputs = inputs
        self.requestedOutputs = requestedOutputs
        self.priority = priority
        self.timeoutMicroseconds = timeoutMicroseconds
    }

    /// How long the request may wait before it runs, in whole microseconds; zero for the model's default. It counts
    /// where the model's queue policy lets requests name one, and where it is shorter than the policy's own.
    public var timeout: Duration {
        get { Duration(microseconds: timeoutMicroseconds) }
        set { timeoutMicroseconds = newValue.wholeMicroseconds }
    }

    /// What errors begin with where Triton names the request: what is wrong with it, and that its queue takes no more.
    var errorPrefix: String {
        let name = id.isEmpty ? nameWithoutID : id
        return name.isEmpty ? "" : "[request id: \(name)] "
    }
}
