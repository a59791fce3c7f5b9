internal import FlightRecords
internal import Scheduling
internal import Tensors
internal import Threads

/// What the flight recorder keeps of what was executed.
extension Completion {
    func record(_ batch: ExecutedBatch, _ outcome: ExecutionOutcome, on instance: InstanceIdentity) {
        guard let recorder = statistics.recorder else { return }
        let hasFailed = if case .failure = outcome.responses { true } else { false }
        let stages = outcome.stages
        var record = RecordedBatch(
            number: 0, instance: instance.index, size: batch.rows, reason: batch.reason, start: stages.start,
            end: hasFailed ? clock.now() : stages.end, requests: [])
        record.inferenceStart = stages.inferenceStart
        record.inferenceEnd = stages.inferenceEnd
        record.leftWaiting = batch.leftWaiting
        record.isOnCaller = CallerRun.isActive
        record.hasFailed = hasFailed
        recorder.record(record, by: instance.name, count: batch.requests.count) {
            RecordedRequest(batch.requests[$0].request)
        }
    }

    /// The same of a request that got its answers one by one.
    func record(
        _ request: PendingRequest, _ error: HalcyonError?, reason: BatchReason, stages: StatisticsCollector.Stages,
        on instance: InstanceIdentity
    ) {
        guard let recorder = statistics.recorder else { return }
        var record = RecordedBatch(
            number: 0, instance: instance.index, size: request.batchSize, reason: reason, start: stages.start,
            end: stages.end, requests: [])
        record.hasFailed = error != nil
        recorder.record(record, by: instance.name, count: 1) { _ in RecordedRequest(request) }
    }
}

extension RecordedRequest {
    fileprivate init(_ request: PendingRequest) {
        self.init(
            arrival: request.arrival, items: UInt32(clamping: request.batchSize),
            level: UInt32(clamping: request.level), shape: Self.number(of: request.shape))
    }
}
