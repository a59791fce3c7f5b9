internal import DequeModule
package import ModelConfiguration
internal import Scheduling
internal import Tensors

/// Runs an ensemble: each request becomes requests to the models of its steps, as soon as their inputs are there.
/// Tensors pass from step to step as they are.
package final class EnsembleExecutor: RequestExecutor {
    /// Hands a request to another model of the server.
    package typealias Router = @Sendable (InferenceRequest, @escaping ResponseHandler) -> (any SubmittedRequest)?

    package struct Parts {
        package var configuration: ModelConfiguration
        package var ensemble: EnsembleScheduling
        package var graph: EnsembleGraph
        package var version: Int64
        package var router: Router
        package var clock: any SchedulingClock
        package var cache: ResponseCache?

        package init(
            configuration: ModelConfiguration, ensemble: EnsembleScheduling, graph: EnsembleGraph, version: Int64,
            router: @escaping Router, clock: any SchedulingClock
        ) {
            self.configuration = configuration
            self.ensemble = ensemble
            self.graph = graph
            self.version = version
            self.router = router
            self.clock = clock
        }
    }

    private struct State {
        var running = 0
        /// Requests that wait until fewer run.
        var waiting: Deque<EnsembleRun> = []
        var isDraining = false
    }

    package let version: Int64
    package let configuration: ModelConfiguration
    package let statistics: StatisticsCollector
    let ensemble: EnsembleScheduling
    let graph: EnsembleGraph
    let router: Router
    let clock: any SchedulingClock
    private let validator: RequestValidator
    private let cached: CachedAnswers?
    private let state = Locked(State())
    private let drained = Signal()

    package init(_ parts: Parts) {
        configuration = parts.configuration
        ensemble = parts.ensemble
        graph = parts.graph
        version = parts.version
        router = parts.router
        clock = parts.clock
        validator = RequestValidator(parts.configuration)
        let statistics = StatisticsCollector(parts.configuration, version: parts.version)
        self.statistics = statistics
        cached =
            parts.configuration.usesResponseCache
            ? parts.cache.map { CachedAnswers(cache: $0, statistics: statistics, clock: parts.clock) } : nil
    }

    package var name: String { configuration.name }
    /// An ensemble has none of its own.
    package var instanceCount: Int { 0 }

    package func occupancy() -> (pendingRequests: Int, busyInstances: Int) {
        (state.withLock { $0.waiting.count }, 0)
    }

    // MARK: Requests

    @discardableResult
    package func submit(
        _ request: InferenceRequest, from caller: CallerThread, handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)? {
        let arrival = clock.now()
        request.trace?.began(model: name, version: version, requestID: request.id)
        let inputs: [Tensor]
        do {
            try validator.checkOutputs(request)
            inputs = try validate(request)
        } catch {
            refuse(request, error, cause: .other, arrival: arrival, handler)
            return nil
        }
        request.trace?.queued(inputs, arrival: arrival)
        var handler = handler
        if let outputs = cached?.lookUp(request, inputs: inputs, arrival: arrival, handler: &handler) {
            let response = InferenceResponse(
                modelName: name, modelVersion: version, id: request.id, outputs: outputs)
            request.trace?.ended(.success(response), at: clock.now())
            handler(.success(response))
            return nil
        }
        let run = EnsembleRun(self, request, inputs: inputs, arrival: arrival, handler: handler)
        let limit = ensemble.maxInflightRequests
        let starts = state.withLock { state -> Bool? in
            if state.isDraining { return nil }
            if limit > 0, state.running >= limit {
                state.waiting.append(run)
                return false
            }
            state.running += 1
            run.markStarted()
            return true
        }
        switch starts {
        case nil:
            refuse(
                request,
                HalcyonError(.unavailable, "the model is being stopped and takes no more requests")
                    .prefixed(ModelExecutor.prefix(request.id)), cause: .rejected(.stopping), arrival: arrival, handler)
            return nil
        case .some(true): run.start()
        case .some(false): break
        }
        return run
    }

    private func validate(_ request: InferenceRequest) throws(HalcyonError) -> [Tensor] {
        do {
            return try validator.validate(request).inputs
        } catch {
            throw error.prefixed(ModelExecutor.prefix(request.id))
        }
    }

    private func refuse(
        _ request: InferenceRequest, _ error: HalcyonError, cause: StatisticsCollector.FailureCause, arrival: UInt64,
        _ handler: ResponseHandler
    ) {
        let now = clock.now()
        statistics.recordFailure(duration: now &- arrival, cause: cause)
        request.trace?.ended(.failure(error), at: now)
        handler(.failure(error))
    }

    /// A request has ended that was started.
    func runEnded() {
        let (next, isDrained) = state.withLock { state -> (EnsembleRun?, Bool) in
            if let next = state.waiting.popFirst() {
                next.markStarted()
                return (next, false)
            }
            state.running -= 1
            return (nil, state.isDraining && state.running == 0)
        }
        if isDrained { drained.notify() }
        next?.start()
    }

    /// Takes out a request that has not started.
    func withdraw(_ run: EnsembleRun) -> Bool {
        state.withLock { state in
            guard let index = state.waiting.firstIndex(where: { $0 === run }) else { return false }
            state.waiting.remove(at: index)
            return true
        }
    }

    // MARK: Stopping

    @discardableResult
    package func stop(deadline: UInt64?) -> Int {
        state.withLock { $0.isDraining = true }
        _ = drained.wait(until: deadline, clock: clock) { self.state.withLock { $0.running == 0 } }
        let abandoned = state.withLock { state in
            defer { state.waiting = [] }
            return Array(state.waiting)
        }
        for run in abandoned {
            run.fail(
                HalcyonError(.unavailable, "model '\(name)' was stopped before the request could run"),
                cause: .rejected(.stopping))
        }
        cached?.forget()
        return abandoned.count
    }
}
