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

    func respond(_ outputs: [Tensor], parameters: [InferenceParameter]) throws(HalcyonError)
    func finish()
    func fail(_ error: HalcyonError)
    /// Keeps a state for the next request of its sequence.
    func keep(_ state: Tensor)
    func report(isSuccess: Bool, _ stages: StatisticsCollector.Stages)
}

extension HandedRequest: RequestSource {}
