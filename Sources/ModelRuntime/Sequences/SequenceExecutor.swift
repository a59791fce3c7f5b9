internal import Logging
package import ModelConfiguration
internal import Scheduling
package import Tensors

/// Runs one version of a model with sequences: the sequence machine with a lock, threads and a clock around it.
///
/// A sequence's requests run in their order on one instance, each by the instance's own worker.
package final class SequenceExecutor: WarmedExecutor {
    package let name: String
    package let version: Int64
    package let configuration: ModelConfiguration
    package let statistics: StatisticsCollector
    private let validator: RequestValidator
    private let execution: SequenceExecution
    package let model: any Model
    let resources: ResourceGate?
    let slots: SlotTable
    let machine: Locked<SequenceMachine>
    /// By instance, where responses leave in the order of turns; empty where they do not.
    let sequencers: [Locked<ResponseSequencer<@Sendable () -> Void>>]
    /// By instance; `nil` when they have been ended.
    let workers = Locked<[Int: WorkerThread]?>([:])
    let drained = Signal()
    /// The instances that were removed and are gone.
    let departed = Locked<Set<Int>>([])
    let clock: any SchedulingClock
    let timer: DeadlineTimer
    let log: Logger
    /// Set before the first worker starts; `nil` where executions may take as long as they take.
    nonisolated(unsafe) private(set) var supervisor: InstanceSupervisor<SequenceBatch>?

    /// Makes the instances and starts their workers.
    ///
    /// - Parameter initialStates: the contents of the files of initial states, by the state's input.
    /// - Throws: whatever the model throws when an instance is made.
    package init(
        _ parts: ModelExecutor.Parts, _ sequences: SequenceBatching, initialStates: [String: [UInt8]]
    ) throws(HalcyonError) {
        name = parts.configuration.name
        version = parts.version
        configuration = parts.configuration
        model = parts.model
        resources = parts.resources
        statistics = StatisticsCollector(
            configuration, version: version, quantiles: parts.summaryQuantiles, clock: parts.clock)
        validator = RequestValidator(configuration, takesEmptyTensors: model.takesEmptyTensors)
        clock = parts.clock
        timer = parts.timer
        log = parts.log
        execution = try SequenceExecution(parts, sequences, initial: initialStates)
        do {
            slots = SlotTable(try InstanceSlot.make(parts))
        } catch {
            throw HalcyonError(wrapping: error)
        }
        machine = Locked(
            SequenceMachine(
                options: SequenceOptions(
                    modelName: name, strategy: Self.strategy(sequences.strategy),
                    maxBatchSize: configuration.maxBatchSize, instanceCount: slots.count,
                    idleTimeout: Self.nanoseconds(sequences.maxSequenceIdleMicroseconds),
                    keepsStates: !sequences.states.isEmpty)))
        sequencers = Self.preservesOrdering(sequences.strategy) ? slots.map { _ in Locked(ResponseSequencer()) } : []
        if parts.executionTimeout > 0 { supervisor = makeSupervisor(limit: parts.executionTimeout) }
        for index in slots.indices {
            do {
                try startWorker(index, on: slots[index])
            } catch {
                stop(deadline: nil)
                throw error
            }
        }
    }

    private static func preservesOrdering(_ strategy: SequenceBatching.Strategy) -> Bool {
        if case .oldest(_, _, _, let preservesOrdering) = strategy { preservesOrdering } else { false }
    }

    /// Sets an instance to work. A worker that starts when they have been ended looks after itself.
    func startWorker(_ index: Int, on slot: InstanceSlot) throws(HalcyonError) {
        let worker = try WorkerThread(name: slot.identity.name, policy: slot.identity.hostPolicy) { [self] in
            work(index, on: slot)
        }
        let isKept = workers.withLock { workers in
            workers?[index] = worker
            return workers != nil
        }
        if !isKept { worker.detach() }
    }

    private static func strategy(_ strategy: SequenceBatching.Strategy) -> SequenceOptions.Strategy {
        switch strategy {
        case .direct(let delay, let utilization):
            .direct(delayMicroseconds: delay, minimumSlotUtilization: utilization)
        case .oldest(let candidates, let sizes, let delay, let preservesOrdering):
            .oldest(
                maxCandidateSequences: candidates, preferredBatchSizes: sizes, maxQueueDelayMicroseconds: delay,
                preserveOrdering: preservesOrdering)
        }
    }

    private static func nanoseconds(_ microseconds: UInt64) -> UInt64 {
        let (product, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max : product
    }

    /// Runs the model before its first request, as ``WarmUpRun`` says: each row a sequence of one request.
    ///
    /// - Throws: whatever an instance throws for a sample.
    @discardableResult
    package func warmUp(_ plan: WarmUpPlan = WarmUpPlan()) throws(HalcyonError) -> WarmUpReport {
        defer { execution.warmedUp() }
        return try warmUp(plan, on: Array(slots))
    }

    func warmUp(_ plan: WarmUpPlan, on slots: [InstanceSlot]) throws(HalcyonError) -> WarmUpReport {
        try WarmUpRun(
            configuration: configuration, validator: validator, slots: slots, clock: clock, log: log,
            fixedBatchSize: model.fixedBatchSize, stateByteCount: execution.stateByteCount
        ) { [execution] (item, batchSize, slot) throws(HalcyonError) in
            try execution.warmUp(item, batchSize: batchSize, on: slot)
        }.run(plan)
    }

    package var instanceCount: Int { machine.withLock(\.activeCount) }

    package var complaint: String? { supervisor?.complaint }

    package func occupancy() -> (pendingRequests: Int, busyInstances: Int) {
        machine.withLock { ($0.waitingCount, $0.busyCount) }
    }

    // MARK: Requests

    private struct Submitted: SubmittedRequest {
        let executor: SequenceExecutor
        let handle: SequenceHandle

        func cancel() { executor.cancel(handle) }
    }

    @discardableResult
    package func submit(
        _ request: InferenceRequest, from caller: CallerThread, handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)? {
        let arrival = clock.now()
        request.trace?.began(model: name, version: version, requestID: request.id)
        let correlation = Self.correlation(request.sequence)
        let validated: RequestValidator.Validated
        do throws(HalcyonError) {
            try validator.checkOutputs(request)
            do throws(HalcyonError) {
                validated = try validator.validate(request)
            } catch {
                throw error.prefixed(ModelExecutor.prefix(request.id))
            }
            try execution.check(correlation)
        } catch {
            refuse(request, error, cause: .other, arrival: arrival, handler)
            return nil
        }
        let pending = PendingRequest(request, validated, arrival: arrival, handler: handler)
        var sequenced = SequencedRequest(
            payload: pending, correlation: correlation,
            start: request.sequence?.isStart ?? false, end: request.sequence?.isEnd ?? false, enqueueTime: arrival)
        sequenced.batchSize = validated.batchSize
        sequenced.shape = validated.shape
        sequenced.timeout = Self.nanoseconds(request.timeoutMicroseconds)
        request.trace?.queued(validated.inputs, arrival: arrival)
        let (result, expiry) = machine.withLock {
            [sequenced] machine -> (Result<SequenceMachine.Enqueued, HalcyonError>, UInt64?) in
            let result = Result { () throws(HalcyonError) in try machine.enqueue(sequenced, now: arrival) }
            return (result, machine.nextExpiry())
        }
        if let expiry { timer.arm(self, at: expiry) }
        switch result {
        case .failure(let error):
            guard error.code == .unavailable else {
                refuse(request, error, cause: .other, arrival: arrival, handler)
                return nil
            }
            let reason: RejectionReason =
                machine.withLock(\.isDraining) ? .stopping : error.retryAfterSeconds == nil ? .queueFull : .noInstance
            refuse(
                request, error.prefixed(ModelExecutor.prefix(request.id)), cause: .rejected(reason), arrival: arrival,
                handler)
            return nil
        case .success(let enqueued):
            if enqueued.restarted {
                log.warning(
                    "sequence restarted before its end",
                    metadata: ["model": "\(name)", "sequence": "\(sequenced.correlation)"])
            }
            if let wake = enqueued.wake { slots[wake].parker.unpark() }
            return Submitted(executor: self, handle: enqueued.handle)
        }
    }

    private static func correlation(_ sequence: InferenceSequence?) -> CorrelationID {
        switch sequence?.id {
        case .number(let number): .number(number)
        case .text(let text): .text(text)
        case nil: .absent
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

    private func cancel(_ handle: SequenceHandle) {
        let now = clock.now()
        let (requests, wake, isDrained) = machine.withLock { machine in
            let (requests, wake) = machine.cancel(handle, now: now)
            return (requests, wake, machine.isDrained)
        }
        if let wake { slots[wake].parker.unpark() }
        if isDrained { drained.notify() }
        fail(
            requests, HalcyonError(.cancelled, "request was cancelled while it waited for model '\(name)'"),
            cause: .canceled)
    }

    // MARK: Workers

    private func work(_ index: Int, on slot: InstanceSlot) {
        var states: SequenceExecution.States = [:]
        while true {
            if let pass = slot.pass {
                while !machine.withLock({ $0.isDrained || $0.mayExit(index) }), !pass.request() {
                    clock.park(slot.parker, until: nil)
                }
            }
            let now = clock.now()
            let (action, ended) = machine.withLock {
                ($0.nextBatch(instance: index, now: now), $0.takeEnded(instance: index))
            }
            for slot in ended { states[slot] = nil }
            switch action {
            case .run(let batch):
                guard run(batch, on: slot, states: &states) else { return }
                if let pass = slot.pass {
                    pass.executed(hasMore: machine.withLock { $0.hasBatch(instance: index, now: clock.now()) })
                }
            case .hold(let until):
                slot.pass?.release(hasExecuted: false)
                clock.park(slot.parker, until: until)
            case .park:
                slot.pass?.release(hasExecuted: false)
                clock.park(slot.parker, until: nil)
            case .exit:
                slot.pass?.leave()
                if machine.withLock({ $0.isRemoved(index) }) { leave(index, slot) }
                drained.notify()
                return
            }
        }
    }

    /// - Returns: whether the instance goes on; if not, its batch has been answered while it was executing.
    private func run(
        _ batch: SequenceBatch, on slot: InstanceSlot, states: inout SequenceExecution.States
    ) -> Bool {
        var outcomes: [(part: SequenceBatch, outcome: SequenceExecution.Outcome)] = []
        for part in execution.parts(of: batch, states) {
            // Who gives the instance up answers the whole batch, of which nothing has been answered yet.
            let ticket = supervisor?.begin(batch, on: batch.instance)
            outcomes.append((part, execution.run(part, on: slot, states: &states)))
            if let ticket, supervisor?.end(ticket, on: batch.instance) == false {
                slot.letGo()
                return false
            }
        }
        let now = clock.now()
        let (expiry, isDrained) = machine.withLock { machine in
            machine.completed(batch, now: now)
            return (machine.nextExpiry(), machine.isDrained)
        }
        if let expiry { timer.arm(self, at: expiry) }
        for (part, outcome) in outcomes { deliver(outcome, of: part, from: slot) }
        if isDrained { drained.notify() }
        return true
    }

    private func deliver(_ outcome: SequenceExecution.Outcome, of batch: SequenceBatch, from slot: InstanceSlot) {
        switch outcome.responses {
        case .success(let responses):
            statistics.recordSuccess(
                batchSize: batch.rows.count, items: responses.count, reason: batch.reason,
                arrivals: batch.requests.map(\.enqueueTime), stages: outcome.stages)
            for (request, response) in zip(batch.requests, responses) {
                (request.payload as? PendingRequest)?.trace?.executed(outcome.stages)
                finish(request, .success(response))
            }
        case .failure(let error):
            log.warning(
                "batch failed",
                metadata: [
                    "model": "\(name)", "version": "\(version)", "instance": "\(slot.identity.name)",
                    "error": "\(error)",
                ])
            fail(batch.requests, error, cause: .backend)
        }
    }

    private func finish(_ request: SequencedRequest, _ result: Result<InferenceResponse, HalcyonError>) {
        guard let pending = request.payload as? PendingRequest else { return }
        pending.trace?.ended(result, at: clock.now())
        guard let turn = request.turn, let instance = request.instance, sequencers.indices.contains(instance) else {
            return pending.handler(result)
        }
        let sequencer = sequencers[instance]
        let delivers = sequencer.withLock { $0.complete(turn) { pending.handler(result) } }
        guard delivers else { return }
        while let delivery = sequencer.withLock({ $0.nextDelivery() }) { delivery() }
    }

    func fail(_ requests: [SequencedRequest], _ error: HalcyonError, cause: StatisticsCollector.FailureCause) {
        let now = clock.now()
        for request in requests {
            statistics.recordFailure(duration: now &- request.enqueueTime, cause: cause)
            finish(request, .failure(error))
        }
    }

    // MARK: Stopping

    @discardableResult
    package func stop(deadline: UInt64?) -> Int {
        machine.withLock { $0.drain() }
        supervisor?.hurry()
        for slot in slots { slot.parker.unpark() }
        let isDrained = drained.wait(until: deadline, clock: clock) { self.machine.withLock { $0.isDrained } }
        supervisor?.stop()
        let abandoned = machine.withLock { $0.abandon() }
        for slot in slots { slot.parker.unpark() }
        drained.notify()
        fail(
            abandoned, HalcyonError(.unavailable, "model '\(name)' was stopped before the request could run"),
            cause: .rejected(.stopping))
        timer.disarm(self)
        let workers = workers.withLock { workers in
            defer { workers = nil }
            return (workers ?? [:]).values
        }
        if isDrained {
            for worker in workers { worker.join() }
            // Those of instances that were given up and not replaced, and of workers that never started.
            for slot in slots { slot.pass?.leave() }
        } else {
            for worker in workers { worker.detach() }
            log.warning(
                "stopped with an execution still running",
                metadata: ["model": "\(name)", "version": "\(version)", "dropped": "\(abandoned.count)"])
        }
        return abandoned.count
    }
}

extension SequenceExecutor: DeadlineTimer.Target {
    package func deadlinePassed(now: UInt64) -> UInt64? {
        let (expired, next, isDrained) = machine.withLock { machine in
            let expired = machine.expire(now: now)
            return (expired, machine.nextExpiry(), machine.isDrained)
        }
        for wake in expired.wakes { slots[wake].parker.unpark() }
        for sequence in expired.idle {
            log.info("sequence ended, as it was idle", metadata: ["model": "\(name)", "sequence": "\(sequence)"])
        }
        fail(expired.timedOut, .sequenceTimedOut, cause: .rejected(.timeout))
        if isDrained { drained.notify() }
        return next
    }
}
