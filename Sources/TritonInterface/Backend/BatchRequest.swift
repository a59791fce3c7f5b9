internal import ModelRuntime
internal import Tensors
internal import Threads

/// A request that the engine makes of a batch that it has gathered: to warm a model up, for instance.
final class BatchRequest: RequestSource {
    private let batch: [Tensor]
    private let outputs: [String]
    private let outcome = Locked<Result<[Tensor], HalcyonError>?>(nil)
    private let changed = Signal()

    init(_ batch: ExecutionBatch) {
        self.batch = batch.inputs
        outputs = batch.requestedOutputs?.sorted() ?? []
    }

    var id: String { "" }
    var inputs: [Tensor] { batch }
    var requestedOutputs: [String] { outputs }
    var parameters: [InferenceParameter] { [] }
    var sequence: InferenceSequence? { nil }
    var timeoutMicroseconds: UInt64 { 0 }
    var trace: (any RequestTrace)? { nil }
    var isCancelled: Bool { false }
    var outputMemory: (any OutputMemory)? { nil }

    func respond(_ outputs: [Tensor], parameters: [InferenceParameter], isFinal: Bool) { end(.success(outputs)) }
    func respond(failing error: HalcyonError) { end(.failure(error)) }
    func finish() { end(.success([])) }
    func giveBack() {}
    func checkPutBack() throws(HalcyonError) { throw .cannotBePutBack }
    func putBack() {}
    func fail(_ error: HalcyonError) { end(.failure(error)) }
    func abandon(_ error: HalcyonError) { end(.failure(error)) }
    func keep(_ state: Tensor) {}
    func report(isSuccess: Bool, _ stages: StatisticsCollector.Stages) {}

    private func end(_ result: Result<[Tensor], HalcyonError>) {
        outcome.withLock { if $0 == nil { $0 = result } }
        changed.notify()
    }

    /// Blocks until it has been answered.
    func wait() throws(HalcyonError) -> [Tensor] {
        _ = changed.wait(until: nil, clock: SystemClock()) { self.outcome.withLock { $0 != nil } }
        return try outcome.withLock { $0 }?.get() ?? []
    }
}
