public import ModelRuntime
public import Tensors

extension InferenceServer {
    /// Hands in a request and returns without waiting. This is the engine's primitive; the other forms stand on it.
    ///
    /// The handler is called exactly once, on any thread, possibly before this returns: on an instance's thread, or on
    /// the caller's own where the model is idle and its recent executions were short. It must not block.
    ///
    /// - Returns: what can take the request back; `nil` where it has ended already.
    @discardableResult
    public func submit(_ request: InferenceRequest, handler: @escaping ResponseHandler) -> InferenceHandle? {
        submit(request, from: .nonBlocking, handler: handler)
    }

    func submit(
        _ request: InferenceRequest, from caller: ModelExecutor.CallerThread, handler: @escaping ResponseHandler
    ) -> InferenceHandle? {
        do {
            return try manager.withModel(request.modelName, version: request.modelVersion) { model in
                model.executor.submit(request, from: caller, handler: handler).map {
                    InferenceHandle(executor: model.executor, pending: $0)
                }
            }
        } catch {
            handler(.failure(error))
            return nil
        }
    }

    /// Runs a request and waits for its response without blocking a thread. Cancelling the task takes a request that
    /// still waits out of the queue at once.
    ///
    /// - Throws: `HalcyonError`: `notFound` for a model that is not served; `invalidArgument` for inputs that do not fit
    ///   it; `unavailable` for a full queue, a timeout that passed while waiting, or a model that is being stopped;
    ///   `cancelled`; or what the engine says.
    public func infer(_ request: InferenceRequest) async throws -> InferenceResponse {
        let call = CancellableCall()
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                call.started(submit(request, from: .nonBlocking) { continuation.resume(with: $0) })
            }
        } onCancel: {
            call.cancel()
        }
    }

    /// Runs a request and blocks the calling thread until its response is there. Where an instance is idle, it runs on
    /// this thread. Not for use on Swift's cooperative pool: see ``infer(_:)``.
    ///
    /// - Throws: as ``infer(_:)``.
    public func inferBlocking(_ request: InferenceRequest) throws(HalcyonError) -> InferenceResponse {
        let call = BlockingCall()
        _ = submit(request, from: .blocking) { call.finish($0) }
        return try call.wait()
    }
}
