internal import Logging
internal import ModelConfigurations
internal import Scheduling
internal import Tensors
internal import Threads

/// Where the requests of one model version end: the one place that counts them, tells their traces, and hands their
/// answers over, in order where the configuration asks for that.
///
/// Any thread may call it, for a batch that an instance has executed as for a request that is answered later.
final class Completion: Sendable {
    private struct Delivery: Sendable {
        let request: PendingRequest
        let result: Result<InferenceResponse, HalcyonError>
    }

    let name: String
    let version: Int64
    let statistics: StatisticsCollector
    let clock: any SchedulingClock
    private let log: Logger?
    /// By lane; empty where answers leave as they come.
    private let orders: [Locked<ResponseSequencer<Delivery>>]

    /// - Parameter lanes: whose answers leave in the order of their turns, each lane by itself.
    convenience init(_ parts: ModelExecutor.Parts, lanes: Int = 0) {
        self.init(
            StatisticsCollector(
                parts.configuration, version: parts.version, quantiles: parts.environment.summaryQuantiles,
                recordedBatches: parts.environment.recordedBatches, clock: parts.environment.clock),
            name: parts.configuration.name, version: parts.version, clock: parts.environment.clock,
            log: parts.environment.log, lanes: lanes)
    }

    /// - Parameters:
    ///   - log: where failed batches are told; `nil` where nothing is executed in batches.
    init(
        _ statistics: StatisticsCollector, name: String, version: Int64, clock: any SchedulingClock, log: Logger? = nil,
        lanes: Int = 0
    ) {
        self.name = name
        self.version = version
        self.statistics = statistics
        self.clock = clock
        self.log = log
        orders = (0..<lanes).map { _ in Locked(ResponseSequencer()) }
    }

    /// Whether answers leave in an order.
    var keepsOrder: Bool { !orders.isEmpty }

    // MARK: Batches

    /// An instance has executed a batch.
    func complete(_ batch: ExecutedBatch, _ outcome: ExecutionOutcome, on instance: InstanceIdentity) {
        switch outcome.responses {
        case .success(let responses):
            statistics.recordSuccess(batch, outcome.stages, on: instance)
            for (taken, response) in zip(batch.requests, responses) {
                taken.request.trace?.executed(outcome.stages)
                finish(taken, .success(response))
            }
        case .failure(let error):
            keepFailed(batch, outcome.stages, on: instance)
            log?.warning(
                "batch failed",
                metadata: [
                    "model": "\(name)", "version": "\(version)", "instance": "\(instance.name)", "error": "\(error)",
                ])
            fail(batch.requests, error, cause: .backend)
        }
    }

    /// Ends requests that were taken on, with an error; but for those that their model has ended while they waited.
    func fail(_ requests: [TakenRequest], _ error: HalcyonError, cause: StatisticsCollector.FailureCause) {
        guard !requests.isEmpty else { return }
        let now = clock.now()
        for taken in requests where taken.request.markFailed(error) {
            statistics.recordFailure(duration: now &- taken.request.arrival, cause: cause)
            if let answers = taken.request.answers {
                answers.tell { [self] in finish(taken, .failure(error)) }
            } else {
                finish(taken, .failure(error))
            }
        }
    }

    /// Tells a request's trace and its caller how it ended, in its turn.
    func finish(_ taken: TakenRequest, _ result: Result<InferenceResponse, HalcyonError>) {
        let request = taken.request
        if let trace = request.trace { trace.ended(result, at: clock.now()) }
        guard let turn = taken.turn, orders.indices.contains(turn.lane) else { return request.handler(result) }
        let order = orders[turn.lane]
        let delivers = order.withLock { $0.complete(turn.number, Delivery(request: request, result: result)) }
        guard delivers else { return }
        while let next = order.withLock({ $0.nextDelivery() }) { next.request.handler(next.result) }
    }

    // MARK: One request

    /// Ends a request with an error that was not taken on by a scheduler.
    func refuse(
        _ request: InferenceRequest, _ error: HalcyonError, cause: StatisticsCollector.FailureCause, arrival: UInt64,
        _ handler: ResponseHandler
    ) {
        let now = clock.now()
        statistics.recordFailure(duration: now &- arrival, cause: cause)
        request.trace?.ended(.failure(error), at: now)
        handler(.failure(error))
    }

    /// The same for what a scheduler has not taken. Where it has no room for it, the request is named.
    func refuse(
        _ request: InferenceRequest, _ refusal: Refusal, arrival: UInt64, _ handler: ResponseHandler
    ) {
        var error = refusal.error
        if case .rejected = refusal.cause { error = error.prefixed(request.errorPrefix) }
        refuse(request, error, cause: refusal.cause, arrival: arrival, handler)
    }

    /// Answers a request with an earlier one's outputs.
    func answer(
        _ request: InferenceRequest, _ outputs: [Tensor], parameters: [InferenceParameter] = [],
        _ handler: ResponseHandler
    ) {
        var response = InferenceResponse(modelName: name, modelVersion: version, id: request.id, outputs: outputs)
        response.parameters = parameters
        request.trace?.ended(.success(response), at: clock.now())
        handler(.success(response))
    }

    /// Ends a request that others have executed for it.
    func end(
        _ request: InferenceRequest, _ response: InferenceResponse, items: Int, arrival: UInt64,
        _ handler: ResponseHandler
    ) {
        let now = clock.now()
        statistics.recordSuccess(
            batchSize: items, reason: .instanceFree, arrivals: [arrival],
            stages: .init(start: arrival, inferenceStart: arrival, inferenceEnd: now, end: now))
        request.trace?.ended(.success(response), at: now)
        handler(.success(response))
    }

    /// A request that got its answers one by one has ended.
    ///
    /// - Parameter error: in place of more answers.
    func end(
        _ request: PendingRequest, _ error: HalcyonError?, reason: BatchReason, stages: StatisticsCollector.Stages,
        on instance: InstanceIdentity
    ) {
        keep(request, error, reason: reason, stages: stages, on: instance)
        request.trace?.executed(stages)
        let result: Result<InferenceResponse, HalcyonError>
        if let error {
            statistics.recordFailure(
                duration: stages.end &- request.arrival, cause: error.code == .cancelled ? .canceled : .backend)
            result = .failure(error)
        } else {
            statistics.recordSuccess(
                batchSize: request.batchSize, reason: reason, arrivals: [request.arrival], stages: stages)
            result = .success(
                InferenceResponse(modelName: name, modelVersion: version, id: request.id, outputs: []))
        }
        request.trace?.ended(result, at: stages.end)
        request.handler(result)
    }
}
