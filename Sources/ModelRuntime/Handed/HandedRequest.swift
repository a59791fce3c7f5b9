internal import Scheduling
private import Synchronization
package import Tensors
internal import Threads

/// A request as it came, at an instance that answers it when it likes, from any thread, and however often it likes
/// where the model is decoupled.
///
/// It ends with a final response, with ``finish()`` or ``fail(_:)``, or when nobody refers to it any more. What it took
/// is counted when the instance reports it, or else when it is gone.
package final class HandedRequest: Sendable {
    /// What happens to it once.
    private enum Step: UInt8 {
        case isCounted = 1
        /// It is not among those any more that the instance still has.
        case isClosed = 2
        /// Its row does not wait for it any more.
        case hasLetGoOfRow = 4
        /// The request ended by what was said here.
        case hasEndedIt = 8
    }

    /// What a model with sequences is told beside the request's own tensors, and where its row ends.
    package struct Row: Sendable {
        /// Controls and states.
        var further: [Tensor]
        /// Whether there is a request at all: a row without one only keeps the others in their places.
        var isBlank: Bool
        /// What the model keeps for the next request of the sequence, by the state's output.
        var kept = Locked<[String: Tensor]>([:])
        /// As the model is told of it; `nil` for what the caller has said.
        var sequence: InferenceSequence?
        /// Whether the model goes on with it in a later batch.
        var isPutBack = Locked(false)
        /// Told once, when the request has ended; where the model may put it back, when it has been given back.
        var ended: @Sendable () -> Void

        init(further: [Tensor], isBlank: Bool, ended: @escaping @Sendable () -> Void) {
            self.further = further
            self.isBlank = isBlank
            self.ended = ended
        }
    }

    private let taken: TakenRequest
    private let row: Row?
    private let calls: RequestCalls
    private let instance: InstanceIdentity
    private let reason: BatchReason
    private let start: UInt64
    /// When it came into the queue, where that may have been several times.
    private let enqueued: UInt64?
    private let state: Locked<Answers>
    private let steps = Atomic<UInt8>(0)
    private var mayBePutBack: Bool { pending.answers != nil }
    private var pending: PendingRequest { taken.request }

    init(
        _ taken: TakenRequest, reason: BatchReason, of calls: RequestCalls, on instance: InstanceIdentity,
        row: Row? = nil
    ) {
        self.taken = taken
        self.row = row
        inputs = row.map { taken.request.inputs + $0.further } ?? taken.request.inputs
        self.reason = reason
        self.calls = calls
        self.instance = instance
        start = calls.completion.clock.now()
        enqueued = taken.request.answers?.withLock { $0.enqueued }
        state = taken.request.answers ?? Locked(Answers(lastTime: start))
        state.withLock { if $0.responses == 0 { $0.lastTime = start } }
    }

    private func has(_ step: Step) -> Bool { steps.load(ordering: .acquiring) & step.rawValue != 0 }

    /// - Returns: whether nobody did before.
    private func take(_ step: Step) -> Bool {
        steps.bitwiseOr(step.rawValue, ordering: .acquiringAndReleasing).oldValue & step.rawValue == 0
    }

    deinit {
        if !isPutBack, !state.withLock({ $0.hasEnded }) {
            end(
                HalcyonError(
                    .internal,
                    "instance '\(instance.name)' of model '\(calls.completion.name)' gave a request back without an "
                        + "answer"))
        }
        close()
    }

    /// The instance has it no more.
    private func close() {
        guard take(.isClosed) else { return }
        letGoOfRow()
        if !isPutBack || has(.hasEndedIt) { countIfNobodyDid() }
        calls.callEnded()
    }

    /// The instance has done with its inputs: who brought them may have them back. It may still answer.
    package func giveBack() {
        pending.givenBack?()
        if mayBePutBack { letGoOfRow() }
    }

    /// - Throws: `unsupported` where it can't be put back.
    package func checkPutBack() throws(HalcyonError) {
        // Whoever puts a whole batch back need not know which rows are nobody's.
        if row?.isBlank == true { return }
        guard mayBePutBack, row != nil else { throw HalcyonError.cannotBePutBack }
    }

    /// The instance goes on with it in a later batch. What it has said so far stays said, and it may say more until
    /// then. One that has ended does not come again.
    package func putBack() {
        if row?.isBlank != true { keepForLater() }
        letGoOfRow()
    }

    private func keepForLater() {
        if pending.isCancelled {
            end(HalcyonError(.cancelled, "request was cancelled while model '\(calls.completion.name)' was at it"))
        }
        let now = calls.completion.clock.now()
        let goesOn = state.withLock { state in
            guard !state.hasEnded else { return false }
            state.enqueued = now
            return true
        }
        // The inputs of one that has ended are wanted no more.
        if goesOn { row?.isPutBack.withLock { $0 = true } } else { pending.givenBack?() }
    }

    private var isPutBack: Bool { row?.isPutBack.withLock { $0 } ?? false }

    /// The next request of the sequence may come.
    private func letGoOfRow() {
        guard let row else { return }
        if take(.hasLetGoOfRow) { row.ended() }
    }

    // MARK: What it brings

    /// The caller's own name for it; may be empty.
    package var id: String { pending.id }
    /// In the configuration's order, with their complete shapes.
    package let inputs: [Tensor]
    /// The outputs that the caller wants; empty for all.
    package var requestedOutputs: [String] { pending.requestedOutputs }
    /// What is meant for the model.
    package var parameters: [InferenceParameter] { pending.parameters }
    /// Its place in a sequence; `nil` where it has none.
    package var sequence: InferenceSequence? { row?.sequence ?? pending.sequence }
    /// Who has memory for its outputs; `nil` for whoever makes them.
    package var outputMemory: (any OutputMemory)? { row?.isBlank == true ? nil : pending.outputMemory }
    /// What it may wait, in microseconds; 0 for as long as it takes.
    package var timeoutMicroseconds: UInt64 { pending.timeoutMicroseconds }
    /// Who wants to know how far it has come.
    package var trace: (any RequestTrace)? { pending.trace }
    /// Items in it; 1 where the model does not batch.
    package var batchSize: Int { pending.batchSize }
    /// Whether nobody waits for an answer any more.
    package var isCancelled: Bool { pending.isCancelled }

    // MARK: Answers

    /// Gives a response. It is the last where the model is not decoupled.
    ///
    /// - Parameters:
    ///   - outputs: with their complete shapes; some may be left out.
    ///   - isFinal: whether it is the last of a decoupled model.
    /// - Throws: `internal` for outputs that are not what the configuration promises; `cancelled` where the caller has
    ///   gone; nothing after the end, as there is nobody left to be told.
    package func respond(_ outputs: [Tensor], parameters: [InferenceParameter] = [], isFinal: Bool = false)
        throws(HalcyonError)
    {
        if row?.isBlank == true { return end(.failure(HalcyonError(.cancelled, "nobody waits for it"))) }
        let completion = calls.completion
        try calls.scatter.check(given: outputs, instance: instance.name)
        var response = InferenceResponse(
            modelName: completion.name, modelVersion: completion.version, id: pending.id,
            outputs: try calls.scatter.outputs(
                outputs, names: pending.requestedOutputs, row: 0, rows: 0, isWhole: true))
        response.parameters = parameters
        guard calls.isDecoupled else { return end(.success(response)) }
        try waitForCaller()
        if isFinal { return end(.success(response)) }
        give(response)
    }

    /// Gives an error in place of a response, after which others may come. It is the last where the model is not
    /// decoupled.
    ///
    /// - Throws: `cancelled` where the caller has gone; nothing after the end.
    package func respond(failing error: HalcyonError) throws(HalcyonError) {
        guard calls.isDecoupled, row?.isBlank != true else { return end(error) }
        try waitForCaller()
        var response = InferenceResponse(
            modelName: calls.completion.name, modelVersion: calls.completion.version, id: pending.id, outputs: [])
        response.error = error
        give(response)
    }

    /// Gives a response after which others come.
    private func give(_ response: InferenceResponse) {
        var response = response
        response.isFinal = false
        let handler = pending.handler
        state.withLock { [response] state in
            guard !state.hasEnded else { return }
            let (index, duration) = next(&state)
            calls.completion.statistics.recordResponse(
                index: index, response.error == nil ? .success : .fail, duration: duration)
            if let trace = pending.trace, trace.wantsTensors {
                for output in response.outputs { trace.saw(output, as: .backendOutput) }
            }
            pending.flow?.gave(response.outputs)
            state.untold.append { handler(.success(response)) }
        }
        state.tell()
    }

    /// There are no more responses: an error where the model owes one.
    package func finish() {
        guard calls.isDecoupled else {
            return end(
                HalcyonError(
                    .internal,
                    "instance '\(instance.name)' of model '\(calls.completion.name)' ended a request without a "
                        + "response"))
        }
        end(
            .success(
                InferenceResponse(
                    modelName: calls.completion.name, modelVersion: calls.completion.version, id: pending.id,
                    outputs: [])))
    }

    /// There is an error in place of more responses.
    package func fail(_ error: HalcyonError) {
        pending.flow?.modelFailed()
        end(error)
    }

    /// The instance has gone with it: it ends with an error if it has not ended, and nobody waits for the instance to
    /// let go of it.
    package func abandon(_ error: HalcyonError) {
        end(error)
        close()
    }

    private func waitForCaller() throws(HalcyonError) {
        do {
            try pending.flow?.waitForRoom(calls.completion.clock)
        } catch {
            pending.markCancelled()
            throw error
        }
    }

    private func end(_ error: HalcyonError) { end(.failure(error)) }

    private func end(_ result: Result<InferenceResponse, HalcyonError>) {
        let (isEmpty, error): (Bool, HalcyonError?) =
            switch result {
            case .success(let response): (response.outputs.isEmpty, nil)
            case .failure(let error): (true, error)
            }
        let isFirst = state.withLock { state in
            guard state.end(error) else { return false }
            if calls.isDecoupled, row?.isBlank != true {
                let (index, duration) = next(&state)
                calls.completion.statistics.recordResponse(
                    index: index, error != nil ? .fail : isEmpty ? .empty : .success, duration: duration)
            } else {
                state.lastTime = calls.completion.clock.now()
            }
            return true
        }
        guard isFirst else { return }
        _ = take(.hasEndedIt)
        // Last, as the next answer of a sequence comes after this one.
        defer { if !mayBePutBack { letGoOfRow() } }
        if row?.isBlank == true { return }
        pending.trace?.executed(ownStages)
        // Nothing else was said before.
        guard calls.isDecoupled else { return calls.completion.finish(taken, result) }
        // Until then the model is not idle.
        calls.callBegan()
        state.tell { [taken, calls] in
            calls.completion.finish(taken, result)
            calls.callEnded()
        }
    }

    /// The number of a response, and the nanoseconds since the one before.
    private func next(_ state: inout Answers) -> (index: Int, duration: UInt64) {
        let now = calls.completion.clock.now()
        defer {
            state.responses += 1
            state.lastTime = now
        }
        return (state.responses, now &- state.lastTime)
    }

    // MARK: Counting

    /// By the engine's own clock: all of it is inference.
    private var ownStages: StatisticsCollector.Stages {
        // One that had ended before it was handed over takes no time here.
        let end = max(start, state.withLock { $0.lastTime })
        var stages = StatisticsCollector.Stages(start: start, inferenceStart: start, inferenceEnd: end, end: end)
        stages.enqueued = enqueued
        return stages
    }

    /// Counts the request by what the instance says of it; once.
    package func report(isSuccess: Bool, _ stages: StatisticsCollector.Stages) {
        guard markCounted() else { return }
        var stages = stages.ordered(after: enqueued ?? pending.arrival)
        stages.enqueued = enqueued
        let completion = calls.completion
        let error = isSuccess ? nil : HalcyonError(.internal, "the backend reports a failure")
        completion.keep(pending, error, reason: reason, stages: stages, on: instance)
        if isSuccess {
            completion.statistics.recordRequest(
                batchSize: pending.batchSize, reason: reason, arrival: pending.arrival, stages: stages)
        } else {
            completion.statistics.recordFailure(duration: stages.end &- pending.arrival, cause: .backend)
        }
    }

    private func markCounted() -> Bool {
        if row?.isBlank == true { return false }
        return take(.isCounted)
    }

    // MARK: States

    /// Keeps a state for the next request of the sequence; without a sequence there is none.
    package func keep(_ state: Tensor) { row?.kept.withLock { $0[state.name] = state } }

    private func countIfNobodyDid() {
        guard markCounted() else { return }
        let (isFirst, error) = state.withLock { ($0.markCounted(), $0.error) }
        guard isFirst else { return }
        let stages = ownStages
        let completion = calls.completion
        completion.keep(pending, error, reason: reason, stages: stages, on: instance)
        guard let error else {
            return completion.statistics.recordSuccess(
                batchSize: pending.batchSize, reason: reason, arrivals: [pending.arrival], stages: stages)
        }
        completion.statistics.recordFailure(
            duration: stages.end &- pending.arrival, cause: error.code == .cancelled ? .canceled : .backend)
    }
}

extension StatisticsCollector.Stages {
    /// The same where each begins after the one before: a backend may say anything.
    func ordered(after arrival: UInt64) -> StatisticsCollector.Stages {
        let start = max(arrival, start)
        let inferenceStart = max(start, inferenceStart)
        let inferenceEnd = max(inferenceStart, inferenceEnd)
        return StatisticsCollector.Stages(
            start: start, inferenceStart: inferenceStart, inferenceEnd: inferenceEnd, end: max(inferenceEnd, end))
    }
}

extension HalcyonError {
    /// As Triton says it.
    package static let cannotBePutBack = HalcyonError(
        .unsupported,
        "Request is released with TRITONSERVER_REQUEST_RELEASE_RESCHEDULE, while the model is not configured to handle "
            + "such a flag.")
}
