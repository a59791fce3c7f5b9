internal import ModelRuntime

/// A request that was handed in, to take it back.
public struct InferenceHandle: Sendable {
    let executor: ModelExecutor
    let pending: PendingRequest

    /// Takes the request back. If it still waits, its handler gets a `cancelled` error at once; if it runs already, its
    /// response comes as it would have.
    public func cancel() { executor.cancel(pending) }
}
