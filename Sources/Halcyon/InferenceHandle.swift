internal import ModelRuntime

/// A request that was handed in, to take it back.
public struct InferenceHandle: Sendable {
    let submitted: any SubmittedRequest

    /// Takes the request back. If it still waits, its handler gets a `cancelled` error at once; if it runs already, its
    /// response comes as it would have, except for a decoupled model, which can see that nobody listens any more.
    public func cancel() { submitted.cancel() }
}
