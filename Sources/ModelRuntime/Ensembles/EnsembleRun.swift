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
        /// Whether the executor counts it as running.
        var isStarted = false
        var hasEnded = false

        /// Lets go of all that is not needed any more: answers that are still to come refer to the request.
        mutating func end() {
            hasEnded = true
            open = []
            underWay = [:]
            tensors = [:]
        }
    }

    private let executor: EnsembleExecutor
    private let request: InferenceRequest
    private let arrival: UInt64
    private let route: any EnsembleRoute
    private let handler: ResponseHandler
    private let state: Locked<State>
    /// The ensemble's outputs that are asked for.
    private let wanted: [String]
    /// Whether it has been taken out of the queue, to be started or because nobody wants it any more.
    private let hasLeftQueue = Atomic<Bool>(false)

    /// - Parameter route: the models of the steps; it is released when the request has ended.
    init(
        _ executor: EnsembleExecutor, _ request: InferenceRequest, inputs: [Tensor], arrival: UInt64,
        route: any EnsembleRoute, handler: @escaping ResponseHandler
    ) {
        self.executor = executor
        self.request = request
        self.arrival = arrival
        self.route = route
        self.handler = handler
        wanted =
            request.requestedOutputs.isEmpty ? executor.configuration.outputs.map(\.name) : request.requestedOutputs
        var state = State(open: executor.graph.steps(for: request.requestedOutputs))
        for input in inputs { state.tensors[input.name] = input }
        self.state = Locked(state)
    }

    /// When it has waited for too long, in nanoseconds of the clock; `nil` where it may wait for ever.
    var deadline: UInt64? {
        guard request.timeoutMicroseconds > 0 else { return nil }
        let (timeout, overflow) = request.timeoutMicroseconds.multipliedReportingOverflow(by: 1000)
        let (deadline, late) = arrival.addingReportingOverflow(timeout)
        return overflow || late ? nil : deadline
    }

    /// Takes it out of the queue.
    ///
    /// - Returns: whether it was still there.
    func leaveQueue() -> Bool {
        hasLeftQueue.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
    }

    /// Whether it has.
    var isOutOfQueue: Bool { hasLeftQueue.load(ordering: .acquiring) }

    /// It will not run.
    func abandonRoute() { route.release() }

    /// Counted as running from now on; one that was taken back before is over at once.
    func start() {
        let isOver = state.withLock { state in
            state.isStarted = true
            return state.hasEnded
        }
        if isOver { return executor.runEnded() }
        request.trace?.reached(.computeStart, at: executor.clock.now())
        advance()
    }

    /// Starts every step whose inputs are there.
    private func advance() {
        let ready = state.withLock { state -> [(step: Int, request: InferenceRequest)] in
            guard !state.hasEnded else { return [] }
            let ready = state.open.filter { isReady($0, state) }.sorted()
            for step in ready {
                state.open.remove(step)
                state.underWay[step] = .some(nil)
            }
            let requests = ready.map { (step: $0, request: stepRequest($0, state)) }
            forgetTensors(&state)
            return requests
        }
        for (step, request) in ready {
            let submitted = route.submit(request, toStep: step) { self.finish(step, $0) }
            // What a cancelled request still needs is nothing.
            let isLate = state.withLock { state in
                if state.underWay[step] != nil { state.underWay[step] = .some(submitted) }
                return state.hasEnded
            }
            if isLate { submitted?.cancel() }
        }
    }

    /// Lets go of what no step needs any more, and nobody has asked for.
    private func forgetTensors(_ state: inout State) {
        let needed = state.open.reduce(into: Set(wanted)) { needed, step in
            needed.formUnion(executor.ensemble.steps[step].inputMap.values)
        }
        state.tensors = state.tensors.filter { needed.contains($0.key) }
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
        var stepRequest = InferenceRequest(
            modelName: step.modelName, modelVersion: step.modelVersion, id: request.id, inputs: inputs,
            requestedOutputs: step.outputMap.keys.sorted(), priority: request.priority,
            timeoutMicroseconds: request.timeoutMicroseconds)
        stepRequest.sequence = request.sequence
        return stepRequest
    }

    private func finish(_ index: Int, _ result: Result<InferenceResponse, HalcyonError>) {
        let step = executor.ensemble.steps[index]
        switch result {
        case .failure(let error):
            state.withLock { $0.underWay[index] = nil }
            let place = "in ensemble '\(executor.name)', step \(index), model '\(step.modelName)': "
            fail(error.prefixed(place), cause: error.code == .cancelled ? .canceled : .backend)
        case .success(let response):
            let outputs = state.withLock { state -> [String: Tensor]? in
                guard !state.hasEnded else { return nil }
                state.underWay[index] = nil
                for var output in response.outputs {
                    guard let name = step.outputMap[output.name] else { continue }
                    output.name = name
                    state.tensors[name] = output
                }
                guard state.open.isEmpty, state.underWay.isEmpty else { return nil }
                let tensors = state.tensors
                state.end()
                return tensors
            }
            if let outputs { respond(with: outputs) } else { advance() }
        }
    }

    private func respond(with tensors: [String: Tensor]) {
        var outputs: [Tensor] = []
        for name in wanted {
            guard let output = tensors[name] else {
                let error = HalcyonError(
                    .internal, "in ensemble '\(executor.name)': output '\(name)' was not made by its step")
                return deliver(.failure(error), cause: .backend, isStarted: true)
            }
            outputs.append(output)
        }
        deliver(
            .success(
                InferenceResponse(
                    modelName: executor.name, modelVersion: executor.version, id: request.id, outputs: outputs)),
            cause: .other, isStarted: true)
    }

    /// Ends the request with an error, once; what is under way is taken back.
    func fail(_ error: HalcyonError, cause: StatisticsCollector.FailureCause) {
        let ended = state.withLock { state -> (underWay: [any SubmittedRequest], isStarted: Bool)? in
            guard !state.hasEnded else { return nil }
            let underWay = state.underWay.values.compactMap { $0 }
            state.end()
            return (underWay, state.isStarted)
        }
        guard let ended else { return }
        for step in ended.underWay { step.cancel() }
        deliver(.failure(error), cause: cause, isStarted: ended.isStarted)
    }

    /// - Parameter isStarted: whether the executor counts it as running.
    private func deliver(
        _ result: Result<InferenceResponse, HalcyonError>, cause: StatisticsCollector.FailureCause, isStarted: Bool
    ) {
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
        // Before the handler, so that whoever unloads a model as soon as the answer is there does not wait for it.
        route.release()
        handler(result)
        if isStarted { executor.runEnded() }
    }

    func cancel() {
        _ = executor.withdraw(self)
        fail(
            HalcyonError(.cancelled, "request was cancelled while it was in ensemble '\(executor.name)'"),
            cause: .canceled)
    }
}
