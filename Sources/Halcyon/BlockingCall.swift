internal import ModelRuntime
internal import Synchronization
internal import Tensors
internal import Threads

/// A thread that waits for the response to its request.
final class BlockingCall: @unchecked Sendable {
    /// Written by whoever finishes the request, before `isFinished`; read by the caller after it.
    private var result: Result<InferenceResponse, HalcyonError>?
    private let isFinished = Atomic<Bool>(false)
    private let parker = ThreadParker.current

    func finish(_ result: Result<InferenceResponse, HalcyonError>) {
        let parker = parker
        self.result = result
        isFinished.store(true, ordering: .releasing)
        parker.unpark()
    }

    /// Only the thread that made the call waits for it.
    func wait() throws(HalcyonError) -> InferenceResponse {
        while !isFinished.load(ordering: .acquiring) { parker.park() }
        guard let result else { throw HalcyonError(.internal, "the request ended without a result") }
        return try result.get()
    }
}
