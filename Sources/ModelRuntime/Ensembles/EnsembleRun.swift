internal import DequeModule
internal import ModelConfigurations
internal import Scheduling
internal import Tensors
internal import Threads

/// One request on its way through an ensemble: the machine with a lock, the models of the steps and the caller around
/// it.
final class EnsembleRun: SubmittedRequest {
    /// What the caller is told, in order.
    private enum News {
        case response([String: EnsembleTensor])
        /// What bounds the responses of a decoupled step, of which one is done with.
        case taken(ResponseFlow)
        /// - Parameter isStarted: whether the executor counts it as running.
        case ended(HalcyonError?, StatisticsCollector.FailureCause, isStarted: Bool)
    }

    private struct State {
        var machine: EnsembleMachine
        /// Steps whose answer is still to come, as far as they can be taken back.
        var underWay: [EnsembleMachine.Call: any SubmittedRequest] = [:]
        /// How much of a decoupled step's responses is under way.
        var flows: [EnsembleMachine.Call: ResponseFlow] = [:]
        var news: Deque<News> = []
        /// Whether a thread is telling the news.
        var isTelling = false
        /// Whether the executor counts it as running.
        var isStarted = false
        var hasFailed = false
    }

    let executor: EnsembleExecutor
    private let request: InferenceRequest
    private let route: any EnsembleRoute
    private let answer: EnsembleAnswer
    private let state: Locked<State>
    private let inputs: Locked<[Tensor]>

    /// - Parameter route: the models of the steps; it is released when the request has ended.
    init(
        _ executor: EnsembleExecutor, _ request: InferenceRequest, inputs: [Tensor], arrival: UInt64,
        route: any EnsembleRoute, handler: @escaping ResponseHandler
    ) {
        self.executor = executor
        self.request = request
        self.route = route
        self.inputs = Locked(inputs)
        answer = EnsembleAnswer(executor, request, arrival: arrival, handler: handler)
        let machine = EnsembleMachine(
            executor.ensemble, executor.graph, executor.streams,
            steps: executor.graph.steps(for: request.requestedOutputs), outputs: answer.wanted)
        state = Locked(State(machine: machine))
    }

    /// It will not run.
    func abandonRoute() { route.release() }

    /// Counted as running from now on; one that was taken back before is over at once.
    func start() {
        var tensors: [String: EnsembleTensor] = [:]
        let isBatched = executor.configuration.maxBatchSize > 0
        for input in inputs.withLock({ inputs in
            defer { inputs = [] }
            return inputs
        }) {
            tensors[input.name] = EnsembleTensor(tensor: input, isBatched: isBatched)
        }
        let isOver = state.withLock { state in
            state.isStarted = true
            return state.hasFailed
        }
        if isOver { return executor.runEnded() }
        perform { $0.start(tensors) }
    }

    // MARK: Steps

    private func perform(_ event: (inout EnsembleMachine) -> EnsembleMachine.Actions) {
        let starts = state.withLock { state in
            let actions = event(&state.machine)
            for tensors in actions.responses { state.news.append(.response(tensors)) }
            for call in actions.taken { if let flow = state.flows[call] { state.news.append(.taken(flow)) } }
            if actions.hasEnded { state.news.append(.ended(nil, .other, isStarted: true)) }
            return actions.starts
        }
        for (call, tensors) in starts { start(call, tensors) }
        tell()
    }

    private func start(_ call: EnsembleMachine.Call, _ tensors: [String: EnsembleTensor]) {
        var request = stepRequest(call.step, tensors)
        if state.withLock({ $0.machine.isDecoupled(call) }) {
            let flow = ResponseFlow(count: executor.itemsUnderWay, beyond: self.request.flow)
            request.flow = flow
            state.withLock { $0.flows[call] = flow }
        }
        let submitted = route.submit(request, toStep: call.step) { self.took($0, from: call) }
        // What a cancelled request still needs is nothing.
        let isLate = state.withLock { state in
            if let submitted, state.machine.isUnderWay(call) { state.underWay[call] = submitted }
            return state.hasFailed
        }
        if isLate { submitted?.cancel() }
    }

    private func stepRequest(_ index: Int, _ tensors: [String: EnsembleTensor]) -> InferenceRequest {
        let step = executor.ensemble.steps[index]
        let model = route.model(ofStep: index)
        var inputs: [Tensor] = []
        for (input, name) in step.inputMap.sorted(by: { $0.key < $1.key }) {
            guard let known = tensors[name] else { continue }
            var tensor = known.tensor
            if let model, let dimensions = model.inputs[input] {
                tensor = known.adapted(to: dimensions, batches: model.batches)
            }
            tensor.name = input
            inputs.append(tensor)
        }
        var stepRequest = InferenceRequest(
            modelName: step.modelName, modelVersion: step.modelVersion, id: request.id, inputs: inputs,
            requestedOutputs: step.outputMap.keys.sorted(), priority: request.priority,
            timeoutMicroseconds: request.timeoutMicroseconds)
        stepRequest.nameWithoutID = request.nameWithoutID
        stepRequest.sequence = request.sequence
        stepRequest.parameters = request.parameters
        stepRequest.trace = request.trace?.step()
        return stepRequest
    }

    private func took(_ result: Result<InferenceResponse, HalcyonError>, from call: EnsembleMachine.Call) {
        let step = executor.ensemble.steps[call.step]
        switch result {
        case .failure(let error):
            state.withLock { $0.underWay[call] = nil }
            fail(error, in: call)
        case .success(let response):
            // What the step would say after an error is of no use: it is taken back with the others.
            if let error = response.error { return fail(error, in: call) }
            if response.isFinal { state.withLock { $0.underWay[call] = nil } }
            let isBatched = route.model(ofStep: call.step)?.batches ?? false
            var tensors: [String: EnsembleTensor] = [:]
            for var output in response.outputs {
                guard let name = step.outputMap[output.name] else { continue }
                output.name = name
                tensors[name] = EnsembleTensor(tensor: output, isBatched: isBatched)
            }
            let isNews = !response.outputs.isEmpty || !response.isFinal
            perform { $0.responded(call, isNews ? tensors : nil, isFinal: response.isFinal) }
        }
    }

    private func fail(_ error: HalcyonError, in call: EnsembleMachine.Call) {
        let model = executor.ensemble.steps[call.step].modelName
        fail(error.prefixed("in ensemble '\(executor.name)', step \(call.step), model '\(model)': "), cause: .other)
    }

    // MARK: The caller

    /// Tells the caller what there is to tell: one thread at a time, so that nothing overtakes anything.
    private func tell() {
        while true {
            let next = state.withLock { state -> News? in
                if state.isTelling { return nil }
                guard let next = state.news.popFirst() else { return nil }
                state.isTelling = true
                return next
            }
            guard let next else { return }
            switch next {
            case .response(let tensors):
                do throws(HalcyonError) {
                    try answer.respond(with: tensors)
                } catch {
                    fail(error, cause: .backend, evenIfEnded: true)
                }
            case .taken(let flow): flow.took()
            case .ended(let error, let cause, let isStarted):
                // Before the handler, so that whoever unloads a model as soon as the answer is there does not wait for
                // it.
                route.release()
                answer.end(error, cause: cause)
                if isStarted { executor.runEnded() }
            }
            state.withLock { $0.isTelling = false }
        }
    }

    /// Ends the request with an error, once; what is under way is taken back.
    ///
    /// - Parameter evenIfEnded: also where its steps have ended well, and the caller has not been told.
    func fail(_ error: HalcyonError, cause: StatisticsCollector.FailureCause, evenIfEnded: Bool = false) {
        let underWay = state.withLock { state -> [any SubmittedRequest]? in
            guard !state.hasFailed, state.machine.stop() || evenIfEnded else { return nil }
            state.hasFailed = true
            state.news = [.ended(error, cause, isStarted: state.isStarted)]
            defer { state.underWay = [:] }
            return Array(state.underWay.values)
        }
        guard let underWay else { return }
        for step in underWay { step.cancel() }
        tell()
    }

    func cancel() {
        fail(
            HalcyonError(.cancelled, "request was cancelled while it was in ensemble '\(executor.name)'"),
            cause: .canceled)
    }
}
