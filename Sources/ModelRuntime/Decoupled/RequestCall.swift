internal import Scheduling
internal import Tensors
internal import Threads

/// A request at an instance that answers it when it likes, from its execution to its last response.
final class RequestCall: Sendable {
    private struct State {
        var responses = 0
        var lastTime: UInt64
        var hasEnded = false
    }

    private let pending: PendingRequest
    private let reason: BatchReason
    private let start: UInt64
    private let calls: RequestCalls
    private let instance: InstanceIdentity
    /// Held while the handler is called, which is thus told one thing at a time and nothing after the end: the thread
    /// that gives an instance up is another one than the instance's.
    private let state: Locked<State>
    /// Around a time in which the model waits for its caller.
    private let pause: @Sendable (_ isWaiting: Bool) -> Void

    /// - Parameter pause: called before and after a time in which the model waits for its caller.
    init(
        _ pending: PendingRequest, reason: BatchReason, of calls: RequestCalls, on instance: InstanceIdentity,
        pause: @escaping @Sendable (_ isWaiting: Bool) -> Void
    ) {
        self.pending = pending
        self.reason = reason
        self.calls = calls
        self.instance = instance
        self.pause = pause
        start = calls.completion.clock.now()
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
        let (scatter, completion) = (calls.scatter, calls.completion)
        let requested = pending.requestedOutputs
        try scatter.check(
            outputs, batchSize: outputs.first?.shape.dimensions.first ?? 1, requests: 1,
            requested: requested.isEmpty ? nil : Set(requested), instance: completion.name)
        var response = InferenceResponse(
            modelName: completion.name, modelVersion: completion.version, id: pending.id,
            outputs: try scatter.outputs(outputs, names: requested, row: 0, rows: 0, isWhole: true))
        response.isFinal = false
        try waitForCaller()
        let isTaken = state.withLock { [response] state in
            guard !state.hasEnded else { return false }
            let (index, duration) = next(&state)
            completion.statistics.recordResponse(index: index, .success, duration: duration)
            if let trace = pending.trace, trace.wantsTensors {
                for output in response.outputs { trace.saw(output, as: .backendOutput) }
            }
            pending.flow?.gave(response.outputs)
            pending.handler(.success(response))
            return true
        }
        if !isTaken { throw HalcyonError(.unavailable, "the request was given up") }
    }

    private func waitForCaller() throws(HalcyonError) {
        guard let flow = pending.flow else { return }
        let waits = flow.isFull
        if waits { pause(true) }
        defer { if waits { pause(false) } }
        do {
            try flow.waitForRoom(calls.completion.clock)
        } catch {
            pending.markCancelled()
            throw error
        }
    }

    /// Ends the request, if it has not ended.
    func end(_ error: HalcyonError?) {
        let isFirst = state.withLock { state in
            guard !state.hasEnded else { return false }
            state.hasEnded = true
            let (index, duration) = next(&state)
            finish(error, index: index, duration: duration)
            return true
        }
        if isFirst { calls.callEnded() }
    }

    private func finish(_ error: HalcyonError?, index: Int, duration: UInt64) {
        let completion = calls.completion
        let now = completion.clock.now()
        completion.statistics.recordResponse(index: index, error == nil ? .empty : .fail, duration: duration)
        completion.end(
            pending, error, reason: reason,
            stages: StatisticsCollector.Stages(start: start, inferenceStart: start, inferenceEnd: now, end: now),
            on: instance)
    }

    /// The number of a response, and the nanoseconds since the one before.
    private func next(_ state: inout State) -> (index: Int, duration: UInt64) {
        let now = calls.completion.clock.now()
        defer {
            state.responses += 1
            state.lastTime = now
        }
        return (state.responses, now &- state.lastTime)
    }
}
