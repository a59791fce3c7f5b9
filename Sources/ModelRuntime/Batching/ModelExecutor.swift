package import ModelConfigurations
internal import Scheduling
package import Tensors
internal import Threads

/// Runs one model version: requests in, a crew of instances, answers out.
///
/// What decides is the crew's machine; what counts and answers is the completion; what executes is the duty.
package final class ModelExecutor: WarmedExecutor {
    package let configuration: ModelConfiguration
    private let options: SchedulingOptions
    private let validator: RequestValidator
    private let cached: CachedAnswers?
    private let completion: Completion
    private let crew: InstanceCrew<BatchingMachine>
    private let callers: CallerRuns
    private let isOnGPU: Bool
    package let inputMemory: (any MemoryProvider)?
    /// The model, where it is executed by processes that may end.
    private let workerModel: (any WorkerModel)?

    /// Makes the instances and starts their workers.
    ///
    /// - Throws: whatever the model throws when an instance is made.
    package init(_ parts: Parts) throws(HalcyonError) {
        configuration = parts.configuration
        options = SchedulingOptions(configuration)
        workerModel = parts.model as? any WorkerModel
        isOnGPU = parts.instances.contains { $0.gpu != nil }
        inputMemory = workerModel?.batchMemory ?? (isOnGPU ? parts.environment.memory : nil)
        validator = RequestValidator(
            configuration,
            takesDeviceMemory: isOnGPU && !configuration.usesResponseCache && !configuration.isDecoupled,
            takesEmptyTensors: parts.model.takesEmptyTensors)
        let completion = Completion(parts, lanes: options.preserveOrdering ? 1 : 0)
        self.completion = completion
        cached = CachedAnswers(configuration, parts.environment.cache, completion)
        let scatter = Scatter(
            configuration, outputsLikeInputs: parts.model.outputsLikeInputs, log: parts.environment.log)
        let members = try MemberTable(parts)
        try Self.checkDecoupling(Array(members), configuration)
        let changed = Signal()
        let takesRequests = members.allSatisfy { $0.instance is any RequestTakingInstance }
        let duty = BatchDuty(
            completion,
            BatchExecution(
                configuration: configuration, version: parts.version, instanceCount: parts.instances.count,
                clock: parts.environment.clock, scatter: scatter,
                memory: inputMemory),
            calls: configuration.isDecoupled || takesRequests
                ? RequestCalls(completion, scatter, isDecoupled: configuration.isDecoupled, changed: changed) : nil,
            learns: options.latencyBudget > 0)
        crew = try InstanceCrew(
            parts, members,
            BatchingMachine(
                options: options, instanceCount: members.count, formations: BatchFormations(parts.model)), duty,
            changed: changed)
        callers = CallerRuns(crew)
    }

    private static func checkDecoupling(
        _ members: [CrewMember], _ configuration: ModelConfiguration
    ) throws(HalcyonError) {
        guard configuration.isDecoupled,
            !members.allSatisfy({
                $0.instance is any DecoupledModelInstance || $0.instance is any RequestTakingInstance
            })
        else { return }
        throw HalcyonError(
            .unsupported,
            "model '\(configuration.name)' is decoupled, and its backend answers every request exactly once")
    }

    package var name: String { completion.name }
    package var version: Int64 { completion.version }
    package var statistics: StatisticsCollector { completion.statistics }
    package var model: any BackendModel { crew.model }
    package var instanceCount: Int { crew.ask(\.activeCount) }
    package var complaint: String? { crew.supervisor?.complaint ?? workerModel?.complaint }

    /// The requests that wait and the instances that execute, both of the same moment.
    package func occupancy() -> (pendingRequests: Int, busyInstances: Int) {
        crew.ask { ($0.waitingCount, $0.busyCount) }
    }

    /// Runs the model before its first request, as ``WarmUpRun`` says.
    ///
    /// - Throws: whatever an instance throws for a sample.
    @discardableResult
    package func warmUp(_ plan: WarmUpPlan = WarmUpPlan()) throws(HalcyonError) -> WarmUpReport {
        defer { crew.duty.execution.warmedUp() }
        return try warmUp(plan, on: Array(crew.members))
    }

    private func warmUp(_ plan: WarmUpPlan, on members: [CrewMember]) throws(HalcyonError) -> WarmUpReport {
        let execution = crew.duty.execution
        return try WarmUpRun(
            configuration: configuration, validator: validator, members: members, clock: crew.clock, log: crew.log,
            fixedBatchSize: model.fixedBatchSize
        ) { (item, batchSize, member) throws(HalcyonError) in
            try execution.warmUp(item, batchSize: batchSize, on: member)
        }.run(plan)
    }

    // MARK: Requests

    private struct Submitted: SubmittedRequest {
        let executor: ModelExecutor
        let pending: PendingRequest
        let handle: RequestHandle

        func cancel() { executor.cancel(pending, handle) }
    }

    /// Takes in a request. The handler gets its response or its error, exactly once, on any thread, possibly before
    /// this returns.
    ///
    /// - Returns: what takes it back; `nil` where the request has already ended.
    @discardableResult
    package func submit(
        _ request: InferenceRequest, from caller: CallerThread, handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)? {
        let arrival = crew.clock.now()
        request.trace?.began(model: name, version: version, requestID: request.id)
        let validated: RequestValidator.Validated
        do throws(HalcyonError) {
            validated = try validator.validated(request)
            if let refusal = workerModel?.refusal(of: validated.inputs) { throw refusal }
        } catch {
            completion.refuse(request, error, cause: .other, arrival: arrival, handler)
            return nil
        }
        var handler = handler
        if let outputs = cached?.lookUp(request, inputs: validated.inputs, arrival: arrival, handler: &handler) {
            completion.answer(request, outputs, handler)
            return nil
        }
        let level = options.level(ofPriority: request.priority)
        let pending = PendingRequest(request, validated, arrival: arrival, level: level, handler: handler)
        request.trace?.queued(validated.inputs, arrival: arrival)
        let queued = QueuedRequest(
            id: 0, batchSize: validated.batchSize, level: level, shape: validated.shape, enqueueTime: arrival,
            requestedTimeout: .microseconds(request.timeoutMicroseconds))
        let callerMayRun = callers.mayRun(on: caller, validated.inputs)
        switch crew.perform({ $0.enqueue(pending, queued, callerMayRun: callerMayRun, &$1) }) {
        case .failure(let refusal):
            completion.refuse(request, refusal, arrival: arrival, handler)
            return nil
        case .success(let (handle, followUp)):
            switch followUp {
            case .nothing: break
            case .runHere(let instance, let batch): callers.run(batch, on: instance)
            case .prepare(let batch, let requests):
                crew.duty.execution.prepare(requests)
                crew.perform { $0.prepared(batch, &$1) }
            }
            return Submitted(executor: self, pending: pending, handle: handle)
        }
    }

    /// Takes a request back: if it still waits, its handler gets a `cancelled` error at once; if it runs, a decoupled
    /// model can see that its caller has gone.
    private func cancel(_ pending: PendingRequest, _ handle: RequestHandle) {
        pending.markCancelled()
        let now = crew.clock.now()
        crew.perform { machine, effects in
            guard let removed = machine.cancel(handle, now: now, &effects) else { return }
            effects.end(
                [removed], HalcyonError(.cancelled, "request was cancelled while it waited for model '\(name)'"),
                .canceled)
        }
    }

    @discardableResult
    package func stop(deadline: UInt64? = nil) -> Int {
        defer { cached?.forget() }
        return crew.stop(deadline: deadline)
    }
}

extension ModelExecutor: AdjustableExecutor {
    package func change(
        to instances: [InstanceIdentity], _ configuration: ModelConfiguration, warmUp plan: WarmUpPlan?
    ) throws(HalcyonError) -> InstanceChange? {
        guard instances.contains(where: { $0.gpu != nil }) == isOnGPU else { return nil }
        return try crew.change(to: instances, configuration) { (fresh) throws(HalcyonError) in
            try Self.checkDecoupling(fresh, configuration)
            if let plan { _ = try warmUp(plan, on: fresh) }
        }
    }

    package func apply(_ change: InstanceChange) throws(HalcyonError) { try crew.apply(change) }
}
