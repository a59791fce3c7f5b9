internal import Synchronization
public import Tensors

/// A request to a decoupled model, which gets as many responses as the model likes to give, none included.
///
/// It may outlive ``DecoupledModelInstance/execute(_:)`` and be used from any thread; one thread at a time. It ends
/// with ``finish()`` or ``fail(_:)``, or when it is released.
public final class DecoupledRequest: Sendable {
    /// What becomes of what the model says.
    package struct Sink: Sendable {
        package var send: @Sendable ([Tensor]) throws(HalcyonError) -> Void
        package var end: @Sendable (HalcyonError?) -> Void
        package var isCancelled: @Sendable () -> Bool

        package init(
            send: @escaping @Sendable ([Tensor]) throws(HalcyonError) -> Void,
            end: @escaping @Sendable (HalcyonError?) -> Void, isCancelled: @escaping @Sendable () -> Bool
        ) {
            self.send = send
            self.end = end
            self.isCancelled = isCancelled
        }
    }

    /// The caller's own name for the request; may be empty.
    public let id: String
    /// In the configuration's order, with their complete shapes.
    public let inputs: [Tensor]
    /// The outputs that the caller wants; empty for all.
    public let requestedOutputs: [String]

    private let sink: Sink
    private let hasEnded = Atomic<Bool>(false)

    package init(id: String, inputs: [Tensor], requestedOutputs: [String], sink: Sink) {
        self.id = id
        self.inputs = inputs
        self.requestedOutputs = requestedOutputs
        self.sink = sink
    }

    deinit { finish() }

    /// Whether the caller has gone. A model that works for long looks at it now and then, and ends.
    public var isCancelled: Bool { sink.isCancelled() }

    /// The input with that name.
    ///
    /// - Throws: `internal` where there is none, which a configuration that names the input rules out.
    public func input(_ name: String) throws(HalcyonError) -> Tensor {
        guard let input = inputs.first(where: { $0.name == name }) else {
            throw HalcyonError(.internal, "the request has no input '\(name)'")
        }
        return input
    }

    /// Gives a response.
    ///
    /// - Parameter outputs: with their complete shapes; what the caller did not ask for may be left out.
    /// - Throws: `internal` for outputs that are not what the configuration promises, and after the end.
    public func send(_ outputs: [Tensor]) throws(HalcyonError) {
        guard !hasEnded.load(ordering: .acquiring) else {
            throw HalcyonError(.internal, "a response was given to a request that had ended")
        }
        try sink.send(outputs)
    }

    /// There are no more responses.
    public func finish() { end(nil) }

    /// There is an error in place of more responses.
    public func fail(_ error: any Error) { end(HalcyonError(wrapping: error)) }

    private func end(_ error: HalcyonError?) {
        if !hasEnded.exchange(true, ordering: .acquiringAndReleasing) { sink.end(error) }
    }
}

/// An instance of a model that answers requests with any number of responses
/// (`model_transaction_policy { decoupled: true }`).
public protocol DecoupledModelInstance: ModelInstance {
    /// Takes on a request. It may return before the request has ended: the instance is free for the next one then.
    ///
    /// - Throws: any error; it ends the request where it has not ended.
    func execute(_ request: DecoupledRequest) throws
}

extension DecoupledModelInstance {
    /// Batches are for models that are not decoupled.
    public func execute(_ batch: inout ExecutionBatch) throws -> [Tensor] {
        throw HalcyonError(
            .unsupported,
            "the model gives any number of responses: its configuration must say model_transaction_policy "
                + "{ decoupled: true }")
    }
}
