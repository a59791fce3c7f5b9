internal import ModelConfiguration
internal import Scheduling
internal import Synchronization
internal import Tensors

/// One request on its way through an ensemble.
final class EnsembleRun: SubmittedRequest {
    private struct State {
        var tensors: [String: Tensor] = [:]
        /// Steps that are still to be started.
        var open: Set<Int>
        /// Steps whose answer is still to come.
        var underWay: [Int: (any SubmittedRequest)?] = [:]
        var hasEnded = false
    }

    private let executor: EnsembleExecutor
    private let request: InferenceRequest
    private let arrival: UInt64
    private let handler: ResponseHandler
    private let state: Locked<State>
    /// Whether the executor counts it as running.
    private let isStarted = Atomic<Bool>(false)

    init(
        _ executor: EnsembleExecutor, _ request: InferenceRequest, inputs: [Tensor], arrival: UInt64,
        handler: @escaping ResponseHandler
    ) {
        self.executor = executor
        self.request = request
        self.arrival = arrival
        self.handler = handler
        var state = State(open: executor.graph.steps(for: request.requestedOutputs))
        for input in inputs { state.tensors[input.name] = input }
        self.state = Locked(state)
    }

    func markStarted() { isStarted.store(true, ordering: .relaxed) }

    func start() {
        request.trace?.reached(.computeStart, at: executor.clock.now())
        advance()
    }

    /// Starts every step whose inputs are there.
    private func advance() {
        let ready = state.withLock { state -> [(step: Int, request: InferenceRequest)] in
            guard !state.hasEnded else { return [] }
            let ready = state.open.filter { isReady($0, state) }.sorted()
            return ready.map { step in
                state.open.remove(step)
                state.underWay[step] = .some(nil)
                return (step, stepRequest(step, state))
            }
        }
        for (step, request) in ready {
            let submitted = executor.router(request) { self.finish(step, $0) }
            // What a cancelled request still needs is nothing.
            let isLate = state.withLock { state in
                if state.underWay[step] != nil { state.underWay[step] = .some(submitted) }
                return state.hasEnded
            }
            if isLate { submitted?.cancel() }
        }
    }

    private func isReady(_ step: Int, _ state: State) -> Bool {
        executor.graph.dependencies[step].allSatisfy { !state.open.contains($0) && state.underWay[$0] == nil }
    }

    private func stepRequest(_ index: Int, _ state: State) -> InferenceRequest {
        let step = executor.ensemble.steps[index]
        var inputs: [Tensor] = []
        for (input, name) in step.inputMap.sorted(by: { $0.key < $1.key }) {
            // An optional input of the ensemble that was left out is left out here as well.
            guard var tensor = state.tensors[name] else { continue }
            tensor.name = input
            inputs.append(tensor)
        }
        return InferenceRequest(
            modelName: step.modelName, modelVersion: step.modelVersion, id: request.id, inputs: inputs,
            requestedOutputs: step.outputMap.keys.sorted(), priority: request.priority,
            timeoutMicroseconds: request.timeoutMicroseconds)
    }

    private func finish(_ index: Int, _ result: Result<InferenceResponse, HalcyonError>) {
        let step = executor.ensemble.steps[index]
        switch result {
        case .failure(let error):
            let place = "in ensemble '\(executor.name)', step \(index), model '\(step.modelName)': "
            fail(error.prefixed(place), cause: error.code == .cancelled ? .canceled : .backend)
        case .success(let response):
            let isComplete = state.withLock { state -> Bool in
                state.underWay[index] = nil
                for var output in response.outputs {
                    guard let name = step.outputMap[output.name] else { continue }
                    output.name = name
                    state.tensors[name] = output
                }
                guard !state.hasEnded, state.open.isEmpty, state.underWay.isEmpty else { return false }
                state.hasEnded = true
                return true
            }
            if isComplete { respond() } else { advance() }
        }
    }

    private func respond() {
        let tensors = state.withLock { $0.tensors }
        let wanted =
            request.requestedOutputs.isEmpty ? executor.configuration.outputs.map(\.name) : request.requestedOutputs
        var outputs: [Tensor] = []
        for name in wanted {
            guard let output = tensors[name] else {
                let error = HalcyonError(
                    .internal, "in ensemble '\(executor.name)': output '\(name)' was not made by its step")
                return deliver(.failure(error), cause: .backend)
            }
            outputs.append(output)
        }
        deliver(
            .success(
                InferenceResponse(
                    modelName: executor.name, modelVersion: executor.version, id: request.id, outputs: outputs)),
            cause: .other)
    }

    /// Ends the request with an error, once; what is under way is taken back.
    func fail(_ error: HalcyonError, cause: StatisticsCollector.FailureCause) {
        let underWay = state.withLock { state -> [any SubmittedRequest]? in
            guard !state.hasEnded else { return nil }
            state.hasEnded = true
            return state.underWay.values.compactMap { $0 }
        }
        guard let underWay else { return }
        for step in underWay { step.cancel() }
        deliver(.failure(error), cause: cause)
    }

    private func deliver(_ result: Result<InferenceResponse, HalcyonError>, cause: StatisticsCollector.FailureCause) {
        let now = executor.clock.now()
        switch result {
        case .success:
            let batch = request.inputs.first?.shape.dimensions.first ?? 1
            executor.statistics.recordSuccess(
                batchSize: executor.configuration.maxBatchSize > 0 ? batch : 1, reason: .instanceFree,
                arrivals: [arrival],
                stages: .init(start: arrival, inferenceStart: arrival, inferenceEnd: now, end: now))
        case .failure: executor.statistics.recordFailure(duration: now &- arrival, cause: cause)
        }
        request.trace?.reached(.computeEnd, at: now)
        request.trace?.ended(result, at: now)
        handler(result)
        if isStarted.load(ordering: .relaxed) { executor.runEnded() }
    }

    func cancel() {
        let cancelled = HalcyonError(
            .cancelled, "request was cancelled while it was in ensemble '\(executor.name)'")
        if executor.withdraw(self) {
            executor.statistics.recordFailure(duration: executor.clock.now() &- arrival, cause: .canceled)
            request.trace?.ended(.failure(cancelled), at: executor.clock.now())
            return handler(.failure(cancelled))
        }
        fail(cancelled, cause: .canceled)
    }
}
