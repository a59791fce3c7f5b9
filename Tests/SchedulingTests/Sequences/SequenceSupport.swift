import Scheduling
import Tensors

extension SequencedRequest {
    static func test(
        _ id: Int, of correlation: CorrelationID, start: Bool = false, end: Bool = false, at time: UInt64 = 0,
        timeout: UInt64 = 0
    ) -> SequencedRequest {
        var request = SequencedRequest(
            id: id, correlation: correlation, start: start, end: end, enqueueTime: time)
        request.timeout = timeout
        return request
    }
}

extension CorrelationID: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: UInt64) { self = .number(value) }
}

extension SequenceBatch<SequencedRequest> {
    /// The requests by row; -1 for a row without one.
    var ids: [Int] { rows.map { $0.request?.id ?? -1 } }
}

extension SequenceMachine.WorkerAction {
    var batch: SequenceBatch<SequencedRequest>? {
        if case .run(let batch) = self { batch } else { nil }
    }

    var holdsUntil: UInt64? {
        if case .hold(let until) = self { until } else { nil }
    }

    var isPark: Bool {
        if case .park = self { true } else { false }
    }

    var isExit: Bool {
        if case .exit = self { true } else { false }
    }
}

extension SequenceMachine {
    static func direct(
        slots: Int = 2, instances: Int = 1, delay: UInt64 = 0, utilization: Float = 0, limit: Int = 0
    ) -> SequenceMachine {
        SequenceMachine(
            options: SequenceOptions(
                modelName: "m",
                strategy: .direct(delayMicroseconds: delay, minimumSlotUtilization: utilization),
                maxBatchSize: slots, instanceCount: instances, idleTimeout: 1000, maxWaitingRequests: limit))
    }

    static func oldest(
        candidates: Int, maxBatchSize: Int = 4, instances: Int = 1, preferred: [Int] = [], delay: UInt64 = 0
    ) -> SequenceMachine {
        SequenceMachine(
            options: SequenceOptions(
                modelName: "m",
                strategy: .oldest(
                    maxCandidateSequences: candidates, preferredBatchSizes: preferred,
                    maxQueueDelayMicroseconds: delay, preserveOrdering: true),
                maxBatchSize: maxBatchSize, instanceCount: instances, idleTimeout: 1000))
    }

    /// Enqueues a request at its own time.
    @discardableResult
    mutating func add(_ request: SequencedRequest) throws -> Enqueued {
        try enqueue(request, now: request.enqueueTime)
    }

    /// Enqueues and expects a refusal.
    mutating func refusal(of request: SequencedRequest) -> String? {
        do {
            _ = try enqueue(request, now: request.enqueueTime)
            return nil
        } catch {
            return error.description
        }
    }

    /// A batch has run, or failed.
    mutating func completed(_ batch: SequenceBatch<SequencedRequest>, now: UInt64) {
        let slots = batch.rows.compactMap { $0.request == nil ? nil : $0.slot }
        completed(slots: slots, instance: batch.instance, now: now)
    }

    /// Runs one batch of that instance from beginning to end.
    @discardableResult
    mutating func runOne(instance: Int = 0, now: UInt64 = 0) -> SequenceBatch<SequencedRequest>? {
        guard let batch = nextBatch(instance: instance, now: now).batch else { return nil }
        completed(batch, now: now)
        return batch
    }
}
