package import ModelConfigurations
internal import Scheduling
package import Tensors
internal import Threads

/// Runs one version of a model with sequences: requests in, a crew of instances, answers out.
///
/// A sequence's requests run in their order on one instance, each by the instance's own worker.
package final class SequenceExecutor: WarmedExecutor {
    package let configuration: ModelConfiguration
    private let validator: RequestValidator
    private let execution: SequenceExecution
    private let completion: Completion
    private let crew: InstanceCrew<SequencingMachine>

    /// Makes the instances and starts their workers.
    ///
    /// - Parameter initialStates: the contents of the files of initial states, by the state's input.
    /// - Throws: whatever the model throws when an instance is made.
    package init(
        _ parts: ModelExecutor.Parts, _ sequences: SequenceBatching, initialStates: [String: [UInt8]]
    ) throws(HalcyonError) {
        configuration = parts.configuration
        validator = RequestValidator(configuration, takesEmptyTensors: parts.model.takesEmptyTensors)
        execution = try SequenceExecution(parts, sequences, initial: initialStates)
        let members = try MemberTable(parts)
        // Each instance has an order of its own.
        completion = Completion(parts, lanes: sequences.preservesOrdering ? members.count : 0)
        let changed = Signal()
        let takesRequests = members.allSatisfy { $0.instance is any RequestTakingInstance }
        guard takesRequests || !configuration.isDecoupled else {
            throw HalcyonError(
                .unsupported,
                "model '\(configuration.name)' is decoupled and has sequences, and its backend does not take requests "
                    + "as they come")
        }
        let calls =
            takesRequests
            ? RequestCalls(
                completion, execution.scatter, isDecoupled: configuration.isDecoupled, changed: changed) : nil
        crew = try InstanceCrew(
            parts, members,
            SequencingMachine(options: SequenceOptions(configuration, sequences, instanceCount: members.count)),
            SequenceDuty(completion, execution, calls: calls), changed: changed)
    }

    package var name: String { completion.name }
    package var version: Int64 { completion.version }
    package var statistics: StatisticsCollector { completion.statistics }
    package var model: any BackendModel { crew.model }
    package var instanceCount: Int { crew.ask(\.activeCount) }
    package var inputMemory: (any MemoryProvider)? { (model as? any WorkerModel)?.batchMemory }
    package var complaint: String? { crew.supervisor?.complaint ?? (model as? any WorkerModel)?.complaint }

    package func occupancy() -> (pendingRequests: Int, busyInstances: Int) {
        crew.ask { ($0.waitingCount, $0.busyCount) }
    }

    /// Runs the model before its first request, as ``WarmUpRun`` says: each row a sequence of one request.
    ///
    /// - Throws: whatever an instance throws for a sample.
    @discardableResult
    package func warmUp(_ plan: WarmUpPlan = WarmUpPlan()) throws(HalcyonError) -> WarmUpReport {
        defer { execution.warmedUp() }
        return try warmUp(plan, on: Array(crew.members))
    }

    private func warmUp(_ plan: WarmUpPlan, on members: [CrewMember]) throws(HalcyonError) -> WarmUpReport {
        try WarmUpRun(
            configuration: configuration, validator: validator, members: members, clock: crew.clock, log: crew.log,
            fixedBatchSize: model.fixedBatchSize, stateByteCount: execution.stateByteCount
        ) { [execution] (item, batchSize, member) throws(HalcyonError) in
            try execution.warmUp(item, batchSize: batchSize, on: member)
        }.run(plan)
    }

    // MARK: Requests

    private struct Submitted: SubmittedRequest {
        let executor: SequenceExecutor
        let pending: PendingRequest
        let handle: SequenceHandle

        func cancel() { executor.cancel(pending, handle) }
    }

    @discardableResult
    package func submit(
        _ request: InferenceRequest, from caller: CallerThread, handler: @escaping ResponseHandler
    ) -> (any SubmittedRequest)? {
        let arrival = crew.clock.now()
        request.trace?.began(model: name, version: version, requestID: request.id)
        let correlation = CorrelationID(request.sequence)
        let validated: RequestValidator.Validated
        do throws(HalcyonError) {
            validated = try validator.validated(request)
            try execution.check(correlation)
        } catch {
            completion.refuse(request, error, cause: .other, arrival: arrival, handler)
            return nil
        }
        let pending = PendingRequest(
            request, validated, arrival: arrival, mayBePutBack: execution.isIterative, handler: handler)
        var sequenced = SequencedRequest(
            id: 0, correlation: correlation, start: request.sequence?.isStart ?? false,
            end: request.sequence?.isEnd ?? false, enqueueTime: arrival)
        sequenced.batchSize = validated.batchSize
        sequenced.shape = validated.shape
        sequenced.timeout = .microseconds(request.timeoutMicroseconds)
        request.trace?.queued(validated.inputs, arrival: arrival)
        switch crew.perform({ $0.enqueue(pending, sequenced, &$1) }) {
        case .success(let handle): return Submitted(executor: self, pending: pending, handle: handle)
        case .failure(let refusal):
            completion.refuse(request, refusal, arrival: arrival, handler)
            return nil
        }
    }

    /// If it runs, a model can see that its caller has gone.
    private func cancel(_ pending: PendingRequest, _ handle: SequenceHandle) {
        pending.markCancelled()
        let now = crew.clock.now()
        let error = HalcyonError(.cancelled, "request was cancelled while it waited for model '\(name)'")
        crew.perform { $1.end($0.cancel(handle, now: now, &$1), error, .canceled) }
    }

    @discardableResult
    package func stop(deadline: UInt64?) -> Int { crew.stop(deadline: deadline) }
}

extension SequenceExecutor: AdjustableExecutor {
    package func change(
        to instances: [InstanceIdentity], _ configuration: ModelConfiguration, warmUp plan: WarmUpPlan?
    ) throws(HalcyonError) -> InstanceChange? {
        // The order of answers is kept by instance, for those of the beginning.
        guard !completion.keepsOrder else { return nil }
        return try crew.change(to: instances, configuration) { (fresh) throws(HalcyonError) in
            if let plan { _ = try warmUp(plan, on: fresh) }
        }
    }

    package func apply(_ change: InstanceChange) throws(HalcyonError) { try crew.apply(change) }
}
