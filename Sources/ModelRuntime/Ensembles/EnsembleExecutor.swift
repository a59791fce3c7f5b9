internal import DequeModule
package import ModelConfiguration
internal import Scheduling
package import Tensors

/// Runs an ensemble: each request becomes requests to the models of its steps, as soon as their inputs are there.
/// Tensors pass from step to step as they are. The models are those that serve when the request comes, to its end.
package final class EnsembleExecutor: RequestExecutor {
    /// The models of the steps, held for one request; or why there are none.
    package typealias Resolver = @Sendable () -> Result<any EnsembleRoute, HalcyonError>

    package struct Parts {
        package var configuration: ModelConfiguration
        package var ensemble: EnsembleScheduling
        package var graph: EnsembleGraph
        package var streams: EnsembleStreams
        package var version: Int64
        package var clock: any SchedulingClock
        package var timer: DeadlineTimer
        package var resolver: Resolver
        package var cache: ResponseCache?
        /// What summaries of latencies show; empty for no summaries.
        package var summaryQuantiles: [SummaryQuantile] = []

        package init(
            configuration: ModelConfiguration, ensemble: EnsembleScheduling, graph: EnsembleGraph,
            streams: EnsembleStreams, version: Int64, clock: any SchedulingClock, timer: DeadlineTimer,
            resolver: @escaping Resolver
        ) {
            self.configuration = configuration
            self.ensemble = ensemble
            self.graph = graph
            self.streams = streams
            self.version = version
            self.clock = clock
            self.timer = timer
            self.resolver = resolver
        }
    }

    private struct State {
        var running = 0
        /// Requests that wait until fewer run, and such that were taken out of turn meanwhile.
        var queue: Deque<EnsembleRun> = []
        /// Those of the queue that still wait.
        var waiting = 0
        /// Requests that may start and whose turn to be started has not come.
        var starting: Deque<EnsembleRun> = []
        var isStarting = false
        var isDraining = false
    }

    package let version: Int64
    package let configuration: ModelConfiguration
    package let statistics: StatisticsCollector
    let ensemble: EnsembleScheduling
    let graph: EnsembleGraph
    package let streams: EnsembleStreams
    let scatter: Scatter
    let clock: any SchedulingClock
    private let timer: DeadlineTimer
    private let resolver: Resolver
    private let validator: RequestValidator
    private let cached: CachedAnswers?
    private let state = Locked(State())
    private let drained = Signal()

    package init(_ parts: Parts) {
        configuration = parts.configuration
        ensemble = parts.ensemble
        graph = parts.graph
        streams = parts.streams
        scatter = Scatter(parts.configuration)
        version = parts.version
        resolver = parts.resolver
        clock = parts.clock
        timer = parts.timer
        validator = RequestValidator(parts.configuration)
        let statistics = StatisticsCollector(
            parts.configuration, version: parts.version, quantiles: parts.summaryQuantiles, clock: parts.clock)
        self.statistics = statistics
        cached =
            parts.configuration.usesResponseCache
            ? parts.cache.map { CachedAnswers(cache: $0, statistics: statistics, clock: parts.clock) } : nil
    }

    package var name: String { configuration.name }

    /// Responses of a decoupled step that may be under way for one request.
    var itemsUnderWay: Int { ensemble.maxInflightRequests > 0 ? ensemble.maxInflightRequests : 64 }

    /// An ensemble has none of its own.
    package var instanceCount: Int { 0 }

    package func occupancy() -> (pendingRequests: Int, busyInstances: Int) { (state.withLock { $0.waiting }, 0) }

    // MARK: Requests

    @discardableResult
    package func submit(
        _ request: InferenceRequest, from caller: CallerThread, handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)? {
        do {
            return submit(request, on: try resolver().get(), handler: handler)
        } catch {
            refuse(request, error, cause: .other, arrival: clock.now(), handler)
            return nil
        }
    }

    /// The same, with the models of the steps.
    ///
    /// - Parameter route: released when the request has ended.
    package func submit(
        _ request: InferenceRequest, on route: any EnsembleRoute, handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)? {
        let arrival = clock.now()
        request.trace?.began(model: name, version: version, requestID: request.id)
        let inputs: [Tensor]
        do {
            try validator.checkOutputs(request)
            inputs = try validate(request)
            try check(route)
        } catch {
            route.release()
            refuse(request, error, cause: .other, arrival: arrival, handler)
            return nil
        }
        request.trace?.queued(inputs, arrival: arrival)
        var handler = handler
        if !route.isStateful,
            let outputs = cached?.lookUp(
                request, inputs: inputs, steps: route.generations, arrival: arrival, handler: &handler)
        {
            route.release()
            var response = InferenceResponse(
                modelName: name, modelVersion: version, id: request.id, outputs: outputs)
            response.parameters = request.sequence?.parameters ?? []
            request.trace?.ended(.success(response), at: clock.now())
            handler(.success(response))
            return nil
        }
        let run = EnsembleRun(self, request, inputs: inputs, arrival: arrival, route: route, handler: handler)
        return enqueue(run, request, arrival: arrival, handler) ? run : nil
    }

    /// - Returns: whether the request was taken on.
    private func enqueue(
        _ run: EnsembleRun, _ request: InferenceRequest, arrival: UInt64, _ handler: ResponseHandler
    ) -> Bool {
        let limit = ensemble.maxInflightRequests
        let isTaken = state.withLock { state -> Bool in
            if state.isDraining { return false }
            if limit == 0 {
                state.running += 1
                _ = run.leaveQueue()
            } else if state.running >= limit {
                state.queue.append(run)
                state.waiting += 1
            } else {
                state.running += 1
                _ = run.leaveQueue()
                state.starting.append(run)
            }
            return true
        }
        guard isTaken else {
            run.abandonRoute()
            let error = HalcyonError(.unavailable, "the model is being stopped and takes no more requests")
            refuse(
                request, error.prefixed(ModelExecutor.prefix(request.id)), cause: .rejected(.stopping),
                arrival: arrival, handler)
            return false
        }
        if limit == 0 {
            run.start()
            return true
        }
        if let deadline = run.deadline { timer.arm(self, at: deadline) }
        startNext()
        return true
    }

    /// Starts what may start, where there is a limit, one after the other: a start may end a request at once, which lets the next one start.
    private func startNext() {
        guard
            state.withLock({ state in
                defer { state.isStarting = true }
                return !state.isStarting
            })
        else { return }
        while true {
            let next = state.withLock { state -> EnsembleRun? in
                let next = state.starting.popFirst()
                if next == nil { state.isStarting = false }
                return next
            }
            guard let next else { return }
            next.start()
        }
    }

    private func validate(_ request: InferenceRequest) throws(HalcyonError) -> [Tensor] {
        do {
            return try validator.validate(request).inputs
        } catch {
            throw error.prefixed(ModelExecutor.prefix(request.id))
        }
    }

    /// - Throws: `unavailable` where a model gives one response and was one that gives any number, or the other way round.
    private func check(_ route: any EnsembleRoute) throws(HalcyonError) {
        for (index, step) in ensemble.steps.enumerated() {
            guard let model = route.model(ofStep: index), model.isDecoupled != streams.isDecoupled(step: index) else {
                continue
            }
            throw HalcyonError(
                .unavailable,
                "in ensemble '\(name)', step \(index), model '\(step.modelName)': it is "
                    + "\(model.isDecoupled ? "decoupled now" : "no longer decoupled"): load the ensemble anew")
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
        let isDrained = state.withLock { state -> Bool in
            while let next = state.queue.popFirst() {
                guard next.leaveQueue() else { continue }
                state.waiting -= 1
                state.starting.append(next)
                return false
            }
            state.running -= 1
            return state.isDraining && state.running == 0
        }
        if isDrained { drained.notify() }
        if ensemble.maxInflightRequests > 0 { startNext() }
    }

    /// Takes out a request that has not started.
    func withdraw(_ run: EnsembleRun) -> Bool {
        guard run.leaveQueue() else { return false }
        state.withLock { state in
            state.waiting -= 1
            // What nobody waits for any more is not kept until its turn would have come.
            let gone = state.queue.count - state.waiting
            if gone > 32, gone > state.waiting { state.queue.removeAll(where: \.isOutOfQueue) }
        }
        return true
    }

    // MARK: Stopping

    @discardableResult
    package func stop(deadline: UInt64?) -> Int {
        state.withLock { $0.isDraining = true }
        _ = drained.wait(until: deadline, clock: clock) { self.state.withLock { $0.running == 0 } }
        timer.disarm(self)
        let queue = state.withLock { state in
            defer { state.queue = [] }
            return Array(state.queue)
        }
        var abandoned = 0
        for run in queue where withdraw(run) {
            abandoned += 1
            run.fail(
                HalcyonError(.unavailable, "model '\(name)' was stopped before the request could run"),
                cause: .rejected(.stopping))
        }
        cached?.forget()
        return abandoned
    }
}

extension EnsembleExecutor: DeadlineTimer.Target {
    /// Ends the requests that have waited for too long.
    package func deadlinePassed(now: UInt64) -> UInt64? {
        let queue = state.withLock { Array($0.queue) }
        var next: UInt64?
        for run in queue {
            guard let deadline = run.deadline else { continue }
            guard deadline <= now else {
                next = min(next ?? deadline, deadline)
                continue
            }
            if withdraw(run) {
                run.fail(HalcyonError(.unavailable, "Request timeout expired"), cause: .rejected(.timeout))
            }
        }
        return next
    }
}
