package import Logging
package import ModelConfiguration
internal import Scheduling
internal import Synchronization
package import Tensors

/// Runs one model version: the scheduler machine with a lock, threads and a clock around it.
///
/// Every event goes: take the lock, ask the machine, let go of the lock, do what it said.
package final class ModelExecutor: WarmedExecutor {
    /// What an executor is made of.
    package struct Parts {
        package var model: any Model
        package var version: Int64
        /// Complete and checked.
        package var configuration: ModelConfiguration
        package var instances: [InstanceIdentity]
        package var clock: any SchedulingClock
        package var timer: DeadlineTimer
        package var log: Logger
        /// Where answers are kept, where the configuration wants that.
        package var cache: ResponseCache?
        /// What instances share, where the server limits rates.
        package var resources: ResourceGate?
        /// How long an execution may take before its instance is given up, in nanoseconds; 0 for as long as it takes.
        package var executionTimeout: UInt64 = 0
        /// What summaries of latencies show; empty for no summaries.
        package var summaryQuantiles: [SummaryQuantile] = []
        /// Where memory that GPUs reach comes from; `nil` without GPUs.
        package var memory: (any MemoryProvider)?

        package init(
            model: any Model, version: Int64, configuration: ModelConfiguration, instances: [InstanceIdentity],
            clock: any SchedulingClock, timer: DeadlineTimer, log: Logger
        ) {
            self.model = model
            self.version = version
            self.configuration = configuration
            self.instances = instances
            self.clock = clock
            self.timer = timer
            self.log = log
        }
    }

    /// An execution up to this long may run on a non-blocking caller's thread: about what waking a worker and being
    /// woken costs. Nanoseconds.
    package static let shortExecution: UInt64 = 50_000
    /// Bytes of inputs up to which a caller that must not block runs a request itself.
    private static let shortInput = 256 << 10

    /// Batches that a caller runs at most before it gives the instance back: its own, and what came meanwhile.
    private static let callerRuns = 8

    package let name: String
    package let version: Int64
    package let configuration: ModelConfiguration
    package let model: any Model
    private let options: SchedulingOptions
    private let validator: RequestValidator
    private let execution: BatchExecution
    let slots: SlotTable
    let machine: Locked<SchedulerMachine>
    private let sequencer = Locked(ResponseSequencer<@Sendable () -> Void>())
    /// By instance; `nil` when they have been ended.
    let workers = Locked<[Int: WorkerThread]?>([:])
    let drained = Signal()
    /// The instances that were removed and are gone.
    let departed = Locked<Set<Int>>([])
    let clock: any SchedulingClock
    let scatter: Scatter
    private let cached: CachedAnswers?
    /// Requests of a decoupled model that have been taken on and not ended.
    private let decoupledCalls = Atomic<Int>(0)
    /// What the instances of a decoupled model execute, where a supervisor may have to end it.
    let runningCalls = Locked<[Int: DecoupledCall]>([:])
    let timer: DeadlineTimer
    let resources: ResourceGate?
    /// Whether no instance shares resources, and none runs where a host policy says.
    private let isFree: Atomic<Bool>
    let isOnGPU: Bool
    /// Set before the first worker starts; `nil` where executions may take as long as they take.
    nonisolated(unsafe) private(set) var supervisor: InstanceSupervisor<Batch>?
    let log: Logger
    package let statistics: StatisticsCollector
    /// A moving mean of what an execution takes, in nanoseconds.
    private let recentExecution = Atomic<UInt64>(UInt64.max)

    /// Makes the instances and starts their workers.
    ///
    /// - Throws: whatever the model throws when an instance is made.
    package init(_ parts: Parts) throws(HalcyonError) {
        name = parts.configuration.name
        version = parts.version
        configuration = parts.configuration
        model = parts.model
        options = SchedulingOptions(parts.configuration)
        isOnGPU = parts.instances.contains { $0.gpu != nil }
        validator = RequestValidator(
            parts.configuration,
            takesDeviceMemory: isOnGPU && !parts.configuration.usesResponseCache && !parts.configuration.isDecoupled,
            takesEmptyTensors: parts.model.takesEmptyTensors)
        clock = parts.clock
        timer = parts.timer
        log = parts.log
        resources = parts.resources
        let statistics = StatisticsCollector(
            parts.configuration, version: parts.version, quantiles: parts.summaryQuantiles, clock: parts.clock)
        self.statistics = statistics
        let scatter = Scatter(
            parts.configuration, outputsLikeInputs: parts.model.outputsLikeInputs, log: parts.log)
        self.scatter = scatter
        cached =
            parts.configuration.usesResponseCache
            ? parts.cache.map { CachedAnswers(cache: $0, statistics: statistics, clock: parts.clock) } : nil
        execution = BatchExecution(
            configuration: parts.configuration, version: parts.version, instanceCount: parts.instances.count,
            clock: parts.clock, scatter: scatter, memory: isOnGPU ? parts.memory : nil)
        do {
            let made = try InstanceSlot.make(parts)
            try Self.checkDecoupling(made, parts.configuration)
            isFree = Atomic(made.allSatisfy(\.isFree))
            slots = SlotTable(made)
        } catch {
            throw HalcyonError(wrapping: error)
        }
        machine = Locked(SchedulerMachine(options: options, instanceCount: slots.count))
        if parts.executionTimeout > 0 { supervisor = makeSupervisor(limit: parts.executionTimeout) }
        try startWorkers()
    }

    static func checkDecoupling(
        _ slots: [InstanceSlot], _ configuration: ModelConfiguration
    ) throws(HalcyonError) {
        guard configuration.isDecoupled, !slots.allSatisfy({ $0.instance is any DecoupledModelInstance }) else {
            return
        }
        throw HalcyonError(
            .unsupported,
            "model '\(configuration.name)' is decoupled, and its backend answers every request exactly once")
    }

    private func startWorkers() throws(HalcyonError) {
        for index in slots.indices {
            do {
                try startWorker(index, on: slots[index])
            } catch {
                stop(deadline: nil)
                throw error
            }
        }
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

    /// Runs the model before its first request, as ``WarmUpRun`` says.
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
            fixedBatchSize: model.fixedBatchSize
        ) { [execution] (item, batchSize, slot) throws(HalcyonError) in
            try execution.warmUp(item, batchSize: batchSize, on: slot)
        }.run(plan)
    }

    // MARK: Requests

    /// Takes in a request. The handler gets its response or its error, exactly once, on any thread, possibly before
    /// this returns.
    ///
    /// - Returns: what ``cancel(_:)`` takes; `nil` where the request has already ended.
    @discardableResult
    package func submit(
        _ request: InferenceRequest, from caller: CallerThread, handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)? {
        let arrival = clock.now()
        request.trace?.began(model: name, version: version, requestID: request.id)
        let validated: RequestValidator.Validated
        do {
            validated = try validate(request)
        } catch {
            statistics.recordFailure(duration: clock.now() &- arrival, cause: .other)
            request.trace?.ended(.failure(error), at: clock.now())
            handler(.failure(error))
            return nil
        }
        var handler = handler
        if let outputs = cached?.lookUp(request, inputs: validated.inputs, arrival: arrival, handler: &handler) {
            let response = InferenceResponse(
                modelName: name, modelVersion: version, id: request.id, outputs: outputs)
            request.trace?.ended(.success(response), at: clock.now())
            handler(.success(response))
            return nil
        }
        let pending = PendingRequest(request, validated, arrival: arrival, handler: handler)
        request.trace?.queued(validated.inputs, arrival: arrival)
        let queued = QueuedRequest(
            payload: pending, batchSize: validated.batchSize, level: options.level(ofPriority: request.priority),
            shape: validated.shape, enqueueTime: arrival,
            requestedTimeout: SchedulingOptions.LevelPolicy.nanoseconds(request.timeoutMicroseconds))
        enqueue(queued, pending, callerMayRun: mayRun(on: caller, validated.inputs))
        return Submitted(executor: self, pending: pending)
    }

    private struct Submitted: SubmittedRequest {
        let executor: ModelExecutor
        let pending: PendingRequest

        func cancel() { executor.cancel(pending) }
    }

    /// Errors name the request, but for that of an output, which in the reference does not.
    private func validate(_ request: InferenceRequest) throws(HalcyonError) -> RequestValidator.Validated {
        try validator.checkOutputs(request)
        do {
            return try validator.validate(request)
        } catch {
            throw error.prefixed(Self.prefix(request.id))
        }
    }

    private func mayRun(on caller: CallerThread, _ inputs: [Tensor]) -> Bool {
        // A caller has no patience for resources that others hold, nor for an engine that does not come back, and its thread
        // is not bound as an instance's may be.
        guard model.mayRunOnCallerThread, !CallerRun.isActive, supervisor == nil, isFree.load(ordering: .relaxed) else {
            return false
        }
        return switch caller {
        case .blocking: true
        case .nonBlocking:
            // Executions that were short say nothing of one that has far more to do.
            recentExecution.load(ordering: .relaxed) <= Self.shortExecution
                && inputs.reduce(0) { $0 + $1.data.byteCount } <= Self.shortInput
        }
    }

    /// What the machine threw, and which of its two reasons it had.
    private struct Refusal: Error {
        var error: HalcyonError
        var reason: RejectionReason
    }

    private func enqueue(_ queued: QueuedRequest, _ pending: PendingRequest, callerMayRun: Bool) {
        let (outcome, expiry) = machine.withLock {
            machine -> (Result<SchedulerMachine.FollowUp, Refusal>, UInt64?) in
            do throws(HalcyonError) {
                let (handle, followUp) = try machine.enqueue(
                    queued, callerMayRun: callerMayRun, now: queued.enqueueTime)
                pending.handle = handle
                return (.success(followUp), machine.nextExpiry())
            } catch {
                let reason: RejectionReason =
                    machine.isDraining ? .stopping : error.retryAfterSeconds == nil ? .queueFull : .noInstance
                return (.failure(Refusal(error: error, reason: reason)), nil)
            }
        }
        if let expiry { timer.arm(self, at: expiry) }
        switch outcome {
        case .failure(let refusal):
            statistics.recordFailure(duration: clock.now() &- pending.arrival, cause: .rejected(refusal.reason))
            let error = refusal.error.prefixed(Self.prefix(pending.id))
            pending.trace?.ended(.failure(error), at: clock.now())
            pending.handler(.failure(error))
        case .success(.nothing): break
        case .success(.wake(let instance)): slots[instance].parker.unpark()
        case .success(.runHere(let instance, let batch)): runOnCaller(instance, batch)
        case .success(.prepare(let batch)): prepare(batch)
        }
    }

    private func runOnCaller(_ instance: Int, _ first: Batch) {
        var next: Batch? = first
        var runs = 0
        while let batch = next {
            CallerRun.active { _ = run(batch, instance: instance, on: slots[instance]) }
            runs += 1
            // What others have handed in meanwhile is done sooner here than by a worker that has to be woken first.
            guard runs < Self.callerRuns, recentExecution.load(ordering: .relaxed) <= Self.shortExecution else { break }
            let now = clock.now()
            next = machine.withLock { $0.nextForCaller(instance: instance, now: now) }
        }
        let now = clock.now()
        let (hasWork, isDrained) = machine.withLock { ($0.release(instance: instance, now: now), $0.isDrained) }
        if hasWork { slots[instance].parker.unpark() }
        if isDrained { drained.notify() }
    }

    private func prepare(_ batch: Batch) {
        var batch = batch
        batch.preparation = execution.prepare(batch)
        let wake = machine.withLock { [batch] in $0.batchPrepared(batch) }
        if let wake { slots[wake].parker.unpark() }
    }

    /// Takes a request back: if it still waits, its handler gets a `cancelled` error at once; if it runs, a decoupled
    /// model can see that its caller has gone.
    private func cancel(_ pending: PendingRequest) {
        pending.markCancelled()
        let now = clock.now()
        let (removed, wake, isDrained) = machine.withLock { machine in
            let (request, wake) = pending.handle.map { machine.cancel($0, now: now) } ?? (nil, nil)
            return (request, wake, machine.isDrained)
        }
        if let wake { slots[wake].parker.unpark() }
        guard let removed else { return }
        fail(
            [removed], HalcyonError(.cancelled, "request was cancelled while it waited for model '\(name)'"),
            cause: .canceled)
        if isDrained { drained.notify() }
    }

    // MARK: Looking

    package var instanceCount: Int { machine.withLock(\.activeCount) }

    package var complaint: String? { supervisor?.complaint }

    /// The requests that wait and the instances that execute, both of the same moment.
    package func occupancy() -> (pendingRequests: Int, busyInstances: Int) {
        machine.withLock { ($0.waitingCount, $0.busyCount) }
    }

    // MARK: Workers

    private func work(_ index: Int, on slot: InstanceSlot) {
        while true {
            if let pass = slot.pass, !pass.request() { waitForResources(index, slot, pass) }
            let now = clock.now()
            let (action, isDrained) = machine.withLock { ($0.nextBatch(instance: index, now: now), $0.isDrained) }
            if isDrained { drained.notify() }
            switch action {
            case .run(let batch, let wake):
                if let wake { slots[wake].parker.unpark() }
                guard run(batch, instance: index, on: slot) else { return }
                if let pass = slot.pass { pass.executed(hasMore: machine.withLock { $0.hasBatch(now: clock.now()) }) }
            case .hold(let until):
                slot.pass?.release(hasExecuted: false)
                clock.park(slot.parker, until: until)
            case .park:
                slot.pass?.release(hasExecuted: false)
                clock.park(slot.parker, until: nil)
            case .exit:
                slot.pass?.leave()
                return
            case .leave(let wake):
                if let wake { slots[wake].parker.unpark() }
                leave(index, slot)
                return
            }
        }
    }

    /// Sleeps until the instance has what it needs, or until there is nothing more that it could need it for. Whatever
    /// waits meanwhile is another instance's, if one is free.
    private func waitForResources(_ index: Int, _ slot: InstanceSlot, _ pass: ResourceGate.Pass) {
        let now = clock.now()
        if let wake = machine.withLock({ $0.block(instance: index, now: now) }) { slots[wake].parker.unpark() }
        while !machine.withLock({ $0.isDrained || $0.isRemoved(index) }), !pass.request() {
            clock.park(slot.parker, until: nil)
        }
    }

    /// - Returns: whether the instance goes on; if not, its request has been answered while it was executing.
    private func runDecoupled(
        _ batch: Batch, instance index: Int, on slot: InstanceSlot, _ instance: any DecoupledModelInstance
    ) -> Bool {
        for case let pending as PendingRequest in batch.requests.map(\.payload) {
            decoupledCalls.wrappingAdd(1, ordering: .relaxed)
            let ticket = supervisor?.begin(batch, on: index)
            let call = DecoupledCall(pending, reason: batch.reason, executor: self) { [supervisor] isWaiting in
                if let ticket { supervisor?.pause(ticket, on: index, isWaiting: isWaiting) }
            }
            if ticket != nil { runningCalls.withLock { $0[index] = call } }
            execute(call.request(), on: instance)
            guard let ticket else { continue }
            if supervisor?.end(ticket, on: index) == false {
                slot.letGo()
                return false
            }
            runningCalls.withLock { $0[index] = nil }
        }
        return true
    }

    private func execute(_ request: DecoupledRequest, on instance: any DecoupledModelInstance) {
        do {
            try instance.execute(request)
        } catch {
            request.fail(error)
        }
    }

    func decoupledCallEnded() {
        if decoupledCalls.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { drained.notify() }
    }

    /// - Returns: whether the instance goes on; if not, its batch has been answered while it was executing.
    private func run(_ batch: Batch, instance index: Int, on slot: InstanceSlot) -> Bool {
        if configuration.isDecoupled, let instance = slot.instance as? any DecoupledModelInstance {
            return runDecoupled(batch, instance: index, on: slot, instance)
        }
        let ticket = supervisor?.begin(batch, on: index)
        let outcome = execution.run(batch, on: slot)
        if let ticket, supervisor?.end(ticket, on: index) == false {
            slot.letGo()
            return false
        }
        if batch.requests.count > 1, case .failure(let error) = outcome.responses, error.code == .invalidArgument {
            return runSingly(batch, instance: index, on: slot)
        }
        deliver(outcome, of: batch, from: slot)
        return true
    }

    /// What one request of a batch has wrong is no fault of the others: each has its own execution, and its own end.
    private func runSingly(_ batch: Batch, instance index: Int, on slot: InstanceSlot) -> Bool {
        for position in batch.requests.indices {
            var rest = batch
            rest.requests = Array(batch.requests[position...])
            let ticket = supervisor?.begin(rest, on: index)
            let single = Batch(
                requests: [batch.requests[position]], size: batch.requests[position].batchSize, reason: .unbatched)
            let outcome = execution.run(single, on: slot)
            if let ticket, supervisor?.end(ticket, on: index) == false {
                slot.letGo()
                return false
            }
            deliver(outcome, of: single, from: slot)
        }
        return true
    }

    private func deliver(_ outcome: BatchExecution.Outcome, of batch: Batch, from slot: InstanceSlot) {
        switch outcome.responses {
        case .success(let responses):
            statistics.recordSuccess(
                batchSize: batch.size, reason: batch.reason, arrivals: batch.requests.map(\.enqueueTime),
                stages: outcome.stages)
            noteExecution(outcome.stages.end &- outcome.stages.start)
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

    /// Whether callers may run requests in an instance's place from now on.
    func setFree(_ isFree: Bool) { self.isFree.store(isFree, ordering: .relaxed) }

    private func noteExecution(_ duration: UInt64) {
        let mean = recentExecution.load(ordering: .relaxed)
        let updated = mean == .max ? duration : mean - mean / 8 + duration / 8
        recentExecution.store(updated, ordering: .relaxed)
    }

    // MARK: Endings

    private func finish(_ request: QueuedRequest, _ result: Result<InferenceResponse, HalcyonError>) {
        guard let pending = request.payload as? PendingRequest else { return }
        if let trace = pending.trace { trace.ended(result, at: clock.now()) }
        guard options.preserveOrdering else { return pending.handler(result) }
        let delivers = sequencer.withLock { $0.complete(request.sequence) { pending.handler(result) } }
        guard delivers else { return }
        while let delivery = sequencer.withLock({ $0.nextDelivery() }) { delivery() }
    }

    func fail(_ requests: [QueuedRequest], _ error: HalcyonError, cause: StatisticsCollector.FailureCause) {
        let now = clock.now()
        for request in requests {
            statistics.recordFailure(duration: now &- request.enqueueTime, cause: cause)
            finish(request, .failure(error))
        }
    }

    /// What errors begin with where Triton names the request: what is wrong with it, and that its queue takes no more.
    static func prefix(_ id: String) -> String { "[request id: \(id.isEmpty ? "<id_unknown>" : id)] " }

    // MARK: Stopping

    /// Takes no more requests, finishes those that wait, and ends the workers.
    ///
    /// - Parameter deadline: when to give up what still waits, in nanoseconds of the clock; `nil` for never. What runs
    ///   then is not interrupted, but it is not waited for either.
    /// - Returns: how many requests were dropped, each with an `unavailable` error.
    @discardableResult
    package func stop(deadline: UInt64? = nil) -> Int {
        machine.withLock { $0.drain() }
        supervisor?.hurry()
        for slot in slots { slot.parker.unpark() }
        let isDrained = drained.wait(until: deadline, clock: clock) {
            self.machine.withLock { $0.isDrained } && self.decoupledCalls.load(ordering: .acquiring) == 0
        }
        cached?.forget()
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
            // Those of instances that were given up and not replaced.
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

extension ModelExecutor: DeadlineTimer.Target {
    package func deadlinePassed(now: UInt64) -> UInt64? {
        let (expired, next, isDrained) = machine.withLock { ($0.expire(now: now), $0.nextExpiry(), $0.isDrained) }
        if let wake = expired.wake { slots[wake].parker.unpark() }
        fail(expired.rejected, HalcyonError(.unavailable, "Request timeout expired"), cause: .rejected(.timeout))
        if isDrained { drained.notify() }
        return next
    }
}
