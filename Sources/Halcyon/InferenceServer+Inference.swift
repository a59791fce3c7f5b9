public import ModelRuntime
public import Tensors

extension InferenceServer {
    /// Hands in a request and returns without waiting. This is the engine's primitive; the other forms stand on it.
    ///
    /// The handler is called on any thread, possibly before this returns: on an instance's thread, or on the caller's
    /// own where the model is idle and its recent executions were short. It must not block. How often,
    /// ``ResponseHandler`` says: once, except for decoupled models.
    ///
    /// - Returns: what can take the request back; `nil` where it has ended already.
    @discardableResult
    public func submit(_ request: InferenceRequest, handler: @escaping ResponseHandler) -> InferenceHandle? {
        submit(request, from: .nonBlocking, answersOnce: false, handler: handler)
    }

    /// - Parameter answersOnce: for the forms with one response, which decoupled models do not give.
    private func submit(
        _ request: InferenceRequest, from caller: CallerThread, answersOnce: Bool, handler: @escaping ResponseHandler
    ) -> InferenceHandle? {
        do throws(HalcyonError) {
            let model = try resolve(request.modelName, version: request.modelVersion)
            guard !answersOnce || !model.isDecoupled else {
                throw HalcyonError(
                    .unsupported,
                    "model '\(request.modelName)' is decoupled and gives any number of responses: ask for its stream "
                        + "of responses")
            }
            return model.submit(request, from: caller, handler: handler)
        } catch {
            handler(.failure(error))
            return nil
        }
    }

    /// Runs a request and gives its responses as they come: one for most models, any number for a decoupled one. Ending
    /// the iteration takes the request back.
    public func responses(to request: InferenceRequest) -> InferenceResponses {
        var request = request
        let flow = ResponseFlow()
        request.flow = flow
        let stream = AsyncThrowingStream<InferenceResponse, any Error> { [request] continuation in
            let call = CancellableCall()
            continuation.onTermination = { _ in call.cancel() }
            call.started(
                submit(request) { result in
                    switch result {
                    case .failure(let error): continuation.finish(throwing: error)
                    case .success(let response):
                        if !response.outputs.isEmpty || !response.isFinal { continuation.yield(response) }
                        if response.isFinal { continuation.finish() }
                    }
                })
        }
        return InferenceResponses(stream: stream, flow: flow)
    }

    /// Runs a request and waits for its response without blocking a thread. Cancelling the task takes a request that
    /// still waits out of the queue at once.
    ///
    /// - Throws: `HalcyonError`: `notFound` for a model that is not served; `invalidArgument` for inputs that do not
    ///   fit it; `unavailable` for a full queue, a timeout that passed while waiting, or a model that is being stopped;
    ///   `cancelled`; or what the engine says.
    public func infer(_ request: InferenceRequest) async throws(HalcyonError) -> InferenceResponse {
        let call = CancellableCall()
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                call.started(
                    submit(request, from: .nonBlocking, answersOnce: true) { continuation.resume(returning: $0) })
            }
        } onCancel: {
            call.cancel()
        }
        return try result.get()
    }

    /// Runs a request and blocks the calling thread until its response is there. Where an instance is idle, it runs on
    /// this thread. Not for use on Swift's cooperative pool: see ``infer(_:)``.
    ///
    /// - Throws: as ``infer(_:)``.
    public func inferBlocking(_ request: InferenceRequest) throws(HalcyonError) -> InferenceResponse {
        let call = BlockingCall()
        _ = submit(request, from: .blocking, answersOnce: true) { call.finish($0) }
        return try call.wait()
    }
}
