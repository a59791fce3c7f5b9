package import ModelConfigurations
internal import Scheduling
package import Tensors
internal import Threads

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
        package var environment: ExecutionEnvironment
        package var resolver: Resolver

        package init(
            configuration: ModelConfiguration, ensemble: EnsembleScheduling, graph: EnsembleGraph,
            streams: EnsembleStreams, version: Int64, environment: ExecutionEnvironment,
            resolver: @escaping Resolver
        ) {
            self.configuration = configuration
            self.ensemble = ensemble
            self.graph = graph
            self.streams = streams
            self.version = version
            self.environment = environment
            self.resolver = resolver
        }
    }

    private struct State {
        var admission: EnsembleAdmission
        /// Those that the admission knows by number.
        var waiting = RequestTable<EnsembleRun>()

        mutating func next() -> EnsembleRun? { admission.next().flatMap { waiting.remove($0) } }
    }

    package let configuration: ModelConfiguration
    let completion: Completion
    let ensemble: EnsembleScheduling
    let graph: EnsembleGraph
    package let streams: EnsembleStreams
    let scatter: Scatter
    let clock: any SchedulingClock
    private let timer: DeadlineTimer
    private let resolver: Resolver
    private let validator: RequestValidator
    private let cached: CachedAnswers?
    private let state: Locked<State>
    private let drained = Signal()

    package init(_ parts: Parts) {
        configuration = parts.configuration
        ensemble = parts.ensemble
        graph = parts.graph
        streams = parts.streams
        scatter = Scatter(parts.configuration)
        resolver = parts.resolver
        clock = parts.environment.clock
        timer = parts.environment.timer
        validator = RequestValidator(parts.configuration)
        let completion = Completion(
            StatisticsCollector(
                parts.configuration, version: parts.version, quantiles: parts.environment.summaryQuantiles,
                clock: parts.environment.clock),
            name: parts.configuration.name, version: parts.version, clock: parts.environment.clock)
        self.completion = completion
        cached = CachedAnswers(parts.configuration, parts.environment.cache, completion)
        state = Locked(State(admission: EnsembleAdmission(limit: parts.ensemble.maxInflightRequests)))
    }

    package var name: String { completion.name }
    package var version: Int64 { completion.version }
    package var statistics: StatisticsCollector { completion.statistics }

    /// Responses of a decoupled step that may be under way for one request.
    var itemsUnderWay: Int { ensemble.maxInflightRequests > 0 ? ensemble.maxInflightRequests : 64 }

    /// An ensemble has none of its own.
    package var instanceCount: Int { 0 }

    package func occupancy() -> (pendingRequests: Int, busyInstances: Int) {
        (state.withLock { $0.admission.waitingCount }, 0)
    }

    // MARK: Requests

    @discardableResult
    package func submit(
        _ request: InferenceRequest, from caller: CallerThread, handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)? {
        do {
            return submit(request, on: try resolver().get(), handler: handler)
        } catch {
            completion.refuse(request, error, cause: .other, arrival: clock.now(), handler)
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
            inputs = try validator.validated(request).inputs
            try check(route)
        } catch {
            route.release()
            completion.refuse(request, error, cause: .other, arrival: arrival, handler)
            return nil
        }
        request.trace?.queued(inputs, arrival: arrival)
        var handler = handler
        if !route.isStateful,
            let outputs = cached?.lookUp(
                request, inputs: inputs, steps: route.generations, arrival: arrival, handler: &handler)
        {
            route.release()
            completion.answer(request, outputs, parameters: request.sequence?.parameters ?? [], handler)
            return nil
        }
        let run = EnsembleRun(self, request, inputs: inputs, arrival: arrival, route: route, handler: handler)
        switch enter(run, timeout: .microseconds(request.timeoutMicroseconds), arrival: arrival) {
        case .start:
            run.start()
            return run
        case .waits(let handle):
            startNext()
            return Waiting(run: run, handle: handle)
        case .refused(let error):
            run.abandonRoute()
            completion.refuse(
                request, error.prefixed(request.errorPrefix), cause: .rejected(.stopping),
                arrival: arrival, handler)
            return nil
        }
    }

    /// A request that may still wait to be started.
    private struct Waiting: SubmittedRequest {
        let run: EnsembleRun
        let handle: RequestHandle

        func cancel() {
            run.executor.withdraw(handle)
            run.cancel()
        }
    }

    private func enter(_ run: EnsembleRun, timeout: Nanoseconds, arrival: UInt64) -> EnsembleAdmission.Entry {
        let (entry, expiry) = state.withLock { state in
            let id = state.waiting.add(run)
            let entry = state.admission.enter(id, timeout: timeout, now: arrival)
            guard case .waits = entry else {
                _ = state.waiting.remove(id)
                return (entry, Nanoseconds?.none)
            }
            return (entry, timeout > 0 ? state.admission.nextExpiry() : nil)
        }
        if let expiry { timer.arm(self, at: expiry) }
        return entry
    }

    /// Starts what may start, where there is a limit, one after the other.
    private func startNext() {
        var next = state.withLock { $0.next() }
        while let run = next {
            run.start()
            next = state.withLock { state in
                state.admission.started()
                return state.next()
            }
        }
    }

    /// - Throws: `unavailable` where a model gives one response and was one that gives any number, or the other way
    ///   round.
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

    /// A request has ended that was started.
    func runEnded() {
        state.withLock { $0.admission.ended() }
        if ensemble.maxInflightRequests > 0 { startNext() }
        if state.withLock({ $0.admission.isDraining && $0.admission.isIdle }) { drained.notify() }
    }

    /// Takes out a request that has not started, if it has not.
    private func withdraw(_ handle: RequestHandle) {
        state.withLock { state in
            guard let id = state.admission.withdraw(handle) else { return }
            _ = state.waiting.remove(id)
        }
    }

    // MARK: Stopping

    @discardableResult
    package func stop(deadline: UInt64?) -> Int {
        state.withLock { $0.admission.drain() }
        _ = drained.wait(until: deadline, clock: clock) { self.state.withLock { $0.admission.isIdle } }
        timer.disarm(self)
        let abandoned = state.withLock { state in
            state.admission.abandon().compactMap { state.waiting.remove($0) }
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

extension EnsembleExecutor: DeadlineTimer.Target {
    /// Ends the requests that have waited for too long.
    package func deadlinePassed(now: UInt64) -> UInt64? {
        let (expired, next) = state.withLock { state in
            (
                state.admission.expire(now: now).compactMap { state.waiting.remove($0) }, state.admission.nextExpiry()
            )
        }
        for run in expired {
            run.fail(HalcyonError(.unavailable, "Request timeout expired"), cause: .rejected(.timeout))
        }
        return next
    }
}
