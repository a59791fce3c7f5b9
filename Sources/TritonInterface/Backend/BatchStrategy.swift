internal import CTriton
internal import Logging
internal import ModelRuntime
internal import Tensors
internal import Threads

/// A model's custom batching: a library says which requests share a batch.
final class BatchStrategy: @unchecked Sendable {
    fileprivate let library: BatchStrategyLibrary
    private let model: ModelObject
    private let batcher: OpaquePointer?
    private let errorCount = Locked(0)

    /// - Throws: what the library says.
    init(_ library: BatchStrategyLibrary, of model: ModelObject) throws(HalcyonError) {
        self.library = library
        self.model = model
        var batcher: OpaquePointer?
        do throws(HalcyonError) {
            try ErrorObject.check(library.batcherInitialize(&batcher, model.handle))
        } catch {
            throw error.prefixed("the custom batching '\(library.path)' can't be used: ")
        }
        self.batcher = batcher
    }

    deinit {
        note(library.batcherFinalize(batcher))
        let count = errorCount.withLock { $0 }
        guard count > 1 else { return }
        InterfaceLog.logger?.error(
            "custom batching has erred again and again",
            metadata: ["model": "\(model.nameText)", "library": "\(library.path)", "errors": "\(count)"])
    }

    /// - Returns: `nil` where the library can't: then sizes and shapes alone decide.
    func begin() -> StrategyFormation? {
        var state: UnsafeMutableRawPointer?
        guard note(library.batchInitialize(batcher, &state)) else { return nil }
        return StrategyFormation(self, state)
    }

    /// A request that the library can't say anything of runs in the next batch.
    fileprivate func includes(_ request: WaitingRequest, _ state: UnsafeMutableRawPointer?) -> Bool {
        guard let handle = try? Handles.give(RequestObject(WaitingSource(request), of: model)) else { return false }
        defer { (try? Handles.take(handle, as: RequestObject.self, "request"))?.end() }
        var isIncluded = false
        return note(library.includeRequest(handle, state, &isIncluded)) && isIncluded
    }

    /// What a library says in the middle of batching is logged, as no request is to blame for it. That is the first
    /// error of a model: there may be one for each request, and the model's queue stands still meanwhile.
    ///
    /// - Returns: whether there was no error.
    @discardableResult
    fileprivate func note(_ returned: OpaquePointer?) -> Bool {
        do throws(HalcyonError) {
            try ErrorObject.check(returned)
            return true
        } catch {
            let count = errorCount.withLock { count in
                count += 1
                return count
            }
            guard count == 1 else { return false }
            InterfaceLog.logger?.error(
                "custom batching",
                metadata: ["model": "\(model.nameText)", "library": "\(library.path)", "error": "\(error)"])
            return false
        }
    }
}

/// One batch, as the library sees it.
final class StrategyFormation: BatchFormation, @unchecked Sendable {
    private let strategy: BatchStrategy
    private let state: UnsafeMutableRawPointer?

    fileprivate init(_ strategy: BatchStrategy, _ state: UnsafeMutableRawPointer?) {
        self.strategy = strategy
        self.state = state
    }

    deinit { strategy.note(strategy.library.batchFinalize(state)) }

    func includes(_ request: WaitingRequest) -> Bool { strategy.includes(request, state) }
}

/// A request that waits, as a library reads it: nobody may answer it yet.
private final class WaitingSource: RequestSource {
    private let request: WaitingRequest

    init(_ request: WaitingRequest) { self.request = request }

    var id: String { request.id }
    var inputs: [Tensor] { request.inputs }
    var requestedOutputs: [String] { request.requestedOutputs }
    var parameters: [InferenceParameter] { request.parameters }
    var sequence: InferenceSequence? { request.sequence }
    var timeoutMicroseconds: UInt64 { request.timeoutMicroseconds }
    var trace: (any RequestTrace)? { nil }
    var isCancelled: Bool { request.isCancelled }
    var outputMemory: (any OutputMemory)? { nil }

    func respond(_ outputs: [Tensor], parameters: [InferenceParameter], isFinal: Bool) throws(HalcyonError) {
        throw Self.waits
    }
    func respond(failing error: HalcyonError) throws(HalcyonError) { throw Self.waits }
    private static let waits = HalcyonError(.unsupported, "the request still waits, and can't be answered")
    func finish() {}
    func giveBack() {}
    func checkPutBack() throws(HalcyonError) { throw Self.waits }
    func putBack() {}
    func fail(_ error: HalcyonError) {}
    func abandon(_ error: HalcyonError) {}
    func keep(_ state: Tensor) {}
    func report(isSuccess: Bool, _ stages: StatisticsCollector.Stages) {}
}
