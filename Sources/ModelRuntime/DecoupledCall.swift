internal import Scheduling
internal import Tensors

/// A request at a decoupled model, from its execution to its last response.
final class DecoupledCall: Sendable {
    private struct State {
        var responses = 0
        var lastTime: UInt64
    }

    private let pending: PendingRequest
    private let reason: BatchReason
    private let start: UInt64
    private let executor: ModelExecutor
    private let state: Locked<State>

    init(_ pending: PendingRequest, reason: BatchReason, executor: ModelExecutor) {
        self.pending = pending
        self.reason = reason
        self.executor = executor
        start = executor.clock.now()
        state = Locked(State(lastTime: start))
    }

    func request() -> DecoupledRequest {
        DecoupledRequest(
            id: pending.id, inputs: pending.inputs, requestedOutputs: pending.requestedOutputs,
            sink: DecoupledRequest.Sink(
                send: { [self] outputs throws(HalcyonError) in try send(outputs) },
                end: { [self] error in end(error) }, isCancelled: { [pending] in pending.isCancelled }))
    }

    private func send(_ outputs: [Tensor]) throws(HalcyonError) {
        let scatter = executor.scatter
        let requested = pending.requestedOutputs
        try scatter.check(
            outputs, batchSize: outputs.first?.shape.dimensions.first ?? 1,
            requested: requested.isEmpty ? nil : Set(requested), instance: executor.name)
        var response = InferenceResponse(
            modelName: executor.name, modelVersion: executor.version, id: pending.id,
            outputs: try scatter.outputs(outputs, names: requested, row: 0, rows: 0, isWhole: true))
        response.isFinal = false
        let (index, duration) = next()
        executor.statistics.recordResponse(index: index, .success, duration: duration)
        if let trace = pending.trace, trace.wantsTensors {
            for output in response.outputs { trace.saw(output, as: .backendOutput) }
        }
        pending.handler(.success(response))
    }

    private func end(_ error: HalcyonError?) {
        let (index, duration) = next()
        let now = executor.clock.now()
        executor.statistics.recordResponse(index: index, error == nil ? .empty : .fail, duration: duration)
        let stages = StatisticsCollector.Stages(start: start, inferenceStart: start, inferenceEnd: now, end: now)
        pending.trace?.executed(stages)
        let result: Result<InferenceResponse, HalcyonError>
        if let error {
            executor.statistics.recordFailure(
                duration: now &- pending.arrival, cause: error.code == .cancelled ? .canceled : .backend)
            result = .failure(error.prefixed(ModelExecutor.prefix(pending.id)))
        } else {
            executor.statistics.recordSuccess(
                batchSize: pending.batchSize, reason: reason, arrivals: [pending.arrival], stages: stages)
            result = .success(
                InferenceResponse(
                    modelName: executor.name, modelVersion: executor.version, id: pending.id, outputs: []))
        }
        pending.trace?.ended(result, at: now)
        pending.handler(result)
        executor.decoupledCallEnded()
    }

    /// The number of a response, and the nanoseconds since the one before.
    private func next() -> (index: Int, duration: UInt64) {
        let now = executor.clock.now()
        return state.withLock { state in
            defer {
                state.responses += 1
                state.lastTime = now
            }
            return (state.responses, now &- state.lastTime)
        }
    }
}
