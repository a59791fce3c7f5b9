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

    package let configuration: ModelConfiguration
    let completion: Completion
    let ensemble: EnsembleScheduling
    let graph: EnsembleGraph
    package let streams: EnsembleStreams
    let scatter: Scatter
    let clock: any SchedulingClock
    private let gate: EnsembleGate
    private let resolver: Resolver
    private let validator: RequestValidator
    private let cached: CachedAnswers?

    package init(_ parts: Parts) {
        configuration = parts.configuration
        ensemble = parts.ensemble
        graph = parts.graph
        streams = parts.streams
        scatter = Scatter(parts.configuration)
        resolver = parts.resolver
        clock = parts.environment.clock
        validator = RequestValidator(parts.configuration)
        let completion = Completion(
            StatisticsCollector(
                parts.configuration, version: parts.version, quantiles: parts.environment.summaryQuantiles,
                clock: parts.environment.clock),
            name: parts.configuration.name, version: parts.version, clock: parts.environment.clock)
        self.completion = completion
        cached = CachedAnswers(parts.configuration, parts.environment.cache, completion)
        gate = EnsembleGate(
            limit: parts.ensemble.maxInflightRequests, clock: parts.environment.clock, timer: parts.environment.timer)
    }

    package var name: String { completion.name }
    package var version: Int64 { completion.version }
    package var statistics: StatisticsCollector { completion.statistics }

    /// Responses of a decoupled step that may be under way for one request.
    var itemsUnderWay: Int { ensemble.maxInflightRequests > 0 ? ensemble.maxInflightRequests : 64 }

    /// An ensemble has none of its own.
    package var instanceCount: Int { 0 }

    package func occupancy() -> (pendingRequests: Int, busyInstances: Int) {
        (gate.waitingCount, 0)
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
        switch gate.enter(run, timeout: .microseconds(request.timeoutMicroseconds), arrival: arrival) {
        case .start:
            run.start()
            return run
        case .waits(let handle):
            gate.startNext()
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
            run.executor.gate.withdraw(handle)
            run.cancel()
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
    func runEnded() { gate.ended() }

    // MARK: Stopping

    @discardableResult
    package func stop(deadline: UInt64?) -> Int {
        let abandoned = gate.close(deadline: deadline)
        for run in abandoned {
            run.fail(
                HalcyonError(.unavailable, "model '\(name)' was stopped before the request could run"),
                cause: .rejected(.stopping))
        }
        cached?.forget()
        return abandoned.count
    }
}
