internal import FlightRecords
internal import Scheduling
internal import Synchronization
public import Tensors
internal import Threads

/// Gets the response, or the error, of a request, on whichever thread made it. It must not block.
///
/// It is called exactly once, except for a decoupled model: there it gets any number of responses, one after the other,
/// the last of which says so (``InferenceResponse/isFinal``) and may have no outputs, or an error, which is the last as
/// well.
public typealias ResponseHandler = @Sendable (Result<InferenceResponse, HalcyonError>) -> Void

/// A request on its way through the engine. It does not change, except for the word that the caller has gone.
package final class PendingRequest: Sendable {
    let id: String
    let inputs: [Tensor]
    let requestedOutputs: [String]
    let outputPlacement: MemoryPlacement?
    let outputMemory: (any OutputMemory)?
    let parameters: [InferenceParameter]
    let sequence: InferenceSequence?
    let timeoutMicroseconds: UInt64
    let batchSize: Int
    /// When the request reached the engine, in nanoseconds of the clock.
    let arrival: UInt64
    let handler: ResponseHandler
    let trace: (any RequestTrace)?
    let flow: ResponseFlow?
    let givenBack: (@Sendable () -> Void)?
    /// Its priority level, from 0, the most urgent.
    let level: Int
    let shape: ShapeKey
    /// What is kept of it once it has been executed.
    let record: RecordedRequest
    /// How far its answers have come; `nil` where it is handed over once.
    let answers: Locked<HandedRequest.Answers>?
    private let cancelled = Atomic<Bool>(false)
    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    init(
        _ request: InferenceRequest, _ validated: RequestValidator.Validated, arrival: UInt64, level: Int = 0,
        mayBePutBack: Bool = false, handler: @escaping ResponseHandler
    ) {
        id = request.id
        inputs = validated.inputs
        requestedOutputs = request.requestedOutputs
        outputPlacement = request.outputPlacement
        outputMemory = request.outputMemory
        parameters = request.parameters
        sequence = request.sequence
        timeoutMicroseconds = request.timeoutMicroseconds
        batchSize = validated.batchSize
        self.level = level
        shape = validated.shape
        record = Self.record(arrival: arrival, batchSize: batchSize, level: level, shape: shape)
        self.arrival = arrival
        self.handler = handler
        trace = request.trace
        flow = request.flow
        givenBack = request.givenBack
        answers = mayBePutBack ? Locked(HandedRequest.Answers(lastTime: arrival, enqueued: arrival)) : nil
    }

    /// One of the same inputs that nobody waits for.
    var blank: PendingRequest { PendingRequest(blankOf: self) }

    private init(blankOf other: PendingRequest) {
        (id, inputs, requestedOutputs) = ("", other.inputs, [])
        (outputPlacement, parameters, sequence, timeoutMicroseconds) = (nil, [], nil, 0)
        (batchSize, level, shape, arrival) = (other.batchSize, other.level, other.shape, other.arrival)
        record = other.record
        (handler, trace, flow, givenBack, outputMemory) = ({ _ in }, nil, nil, nil, nil)
        answers = nil
    }

    private static func record(arrival: UInt64, batchSize: Int, level: Int, shape: ShapeKey) -> RecordedRequest {
        RecordedRequest(
            arrival: arrival, items: UInt32(clamping: batchSize), level: UInt32(clamping: level),
            shape: RecordedRequest.number(of: shape))
    }

    /// Whether a model that may put it back has ended it, or somebody else has.
    var hasEnded: Bool { answers?.withLock { $0.hasEnded } ?? false }

    /// Asked by whoever ends it in its model's place, and counts that.
    ///
    /// - Returns: whether it had not ended.
    func markFailed(_ error: HalcyonError) -> Bool {
        guard let answers else { return true }
        return answers.withLock { answers in
            guard answers.end(error) else { return false }
            _ = answers.markCounted()
            return true
        }
    }

    func markCancelled() {
        cancelled.store(true, ordering: .relaxed)
        flow?.close()
    }
}
