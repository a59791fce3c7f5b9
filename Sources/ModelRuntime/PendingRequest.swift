internal import Scheduling
public import Tensors

/// Gets the one response, or the error, of a request; on whichever thread made it, exactly once. It must not block.
public typealias ResponseHandler = @Sendable (Result<InferenceResponse, HalcyonError>) -> Void

/// A request on its way through the engine.
///
/// `handle` and `isCancelled` belong to the executor's lock; the rest does not change.
package final class PendingRequest: @unchecked Sendable {
    let id: String
    let inputs: [Tensor]
    let requestedOutputs: [String]
    let batchSize: Int
    /// When the request reached the engine, in nanoseconds of the clock.
    let arrival: UInt64
    let handler: ResponseHandler
    let trace: (any RequestTrace)?
    var handle: RequestHandle?
    var isCancelled = false

    init(
        _ request: InferenceRequest, _ validated: RequestValidator.Validated, arrival: UInt64,
        handler: @escaping ResponseHandler
    ) {
        id = request.id
        inputs = validated.inputs
        requestedOutputs = request.requestedOutputs
        batchSize = validated.batchSize
        self.arrival = arrival
        self.handler = handler
        trace = request.trace
    }
}
