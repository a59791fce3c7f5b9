internal import ModelRuntime
internal import Tensors

/// A request as a backend has it: one of a caller's, or one that the engine makes by itself.
protocol RequestSource: AnyObject, Sendable {
    var id: String { get }
    var inputs: [Tensor] { get }
    /// Empty for all.
    var requestedOutputs: [String] { get }
    var parameters: [InferenceParameter] { get }
    var sequence: InferenceSequence? { get }
    var timeoutMicroseconds: UInt64 { get }
    var trace: (any RequestTrace)? { get }
    var isCancelled: Bool { get }
    /// Who has memory for the outputs; `nil` for the backend's own side.
    var outputMemory: (any OutputMemory)? { get }

    /// - Parameter isFinal: whether it is the last of a decoupled model.
    func respond(_ outputs: [Tensor], parameters: [InferenceParameter], isFinal: Bool) throws(HalcyonError)
    /// An error after which a decoupled model may say more.
    func respond(failing error: HalcyonError) throws(HalcyonError)
    func finish()
    /// The backend has done with the inputs.
    func giveBack()
    /// - Throws: where the backend can't put it back.
    func checkPutBack() throws(HalcyonError)
    /// The backend goes on with it in a later batch.
    func putBack()
    func fail(_ error: HalcyonError)
    /// Fails it, and counts it as given back.
    func abandon(_ error: HalcyonError)
    /// Keeps a state for the next request of its sequence.
    func keep(_ state: Tensor)
    func report(isSuccess: Bool, _ stages: StatisticsCollector.Stages)
}

extension HandedRequest: RequestSource {}
