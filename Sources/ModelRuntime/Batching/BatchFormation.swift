package import Tensors

/// A model that has a say in which requests share a batch, beyond sizes and shapes.
package protocol BatchFormingModel: BackendModel {
    /// Begins a batch; `nil` where the model has no say. It is called with the scheduler's lock held, as in Triton:
    /// each question is about what the queue holds at that moment, and the answer decides what is taken from it, so
    /// that nothing may come or go between the two. It may not block, nor call the server.
    func beginBatch() -> (any BatchFormation)?

    /// Whether ``beginBatch()`` gives anything.
    var formsBatches: Bool { get }
}

/// One batch that is being formed. It ends when nobody refers to it any more.
package protocol BatchFormation: AnyObject, Sendable {
    /// Whether the next request may join. It is asked of the first one too, whose answer does not count.
    func includes(_ request: WaitingRequest) -> Bool
}

/// A request that waits, for who decides about it.
package struct WaitingRequest: Sendable {
    private let pending: PendingRequest

    init(_ pending: PendingRequest) { self.pending = pending }

    /// The caller's own name for it; may be empty.
    package var id: String { pending.id }
    /// In the configuration's order, with their complete shapes.
    package var inputs: [Tensor] { pending.inputs }
    /// The outputs that the caller wants; empty for all.
    package var requestedOutputs: [String] { pending.requestedOutputs }
    /// What is meant for the model.
    package var parameters: [InferenceParameter] { pending.parameters }
    /// Its place in a sequence; `nil` where it has none.
    package var sequence: InferenceSequence? { pending.sequence }
    /// What it may wait, in microseconds; 0 for as long as it takes.
    package var timeoutMicroseconds: UInt64 { pending.timeoutMicroseconds }
    /// Whether nobody waits for an answer any more.
    package var isCancelled: Bool { pending.isCancelled }
}
