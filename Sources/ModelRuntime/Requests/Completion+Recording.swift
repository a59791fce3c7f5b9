internal import FlightRecords
internal import Scheduling
internal import Tensors
internal import Threads

/// What is kept of what was executed, where it is not counted as a success in the same breath.
extension Completion {
    /// A batch that failed.
    func keepFailed(_ batch: ExecutedBatch, _ stages: StatisticsCollector.Stages, on instance: InstanceIdentity) {
        guard statistics.recordedBatches > 0 else { return }
        var outline = BatchOutline(batch, stages, on: instance)
        outline.hasFailed = true
        outline.end = clock.now()
        statistics.keep(outline, by: instance.name, count: batch.requests.count) {
            batch.requests[$0].request.record
        }
    }

    /// A request that got its answers one by one.
    func keep(
        _ request: PendingRequest, _ error: HalcyonError?, reason: BatchReason, stages: StatisticsCollector.Stages,
        on instance: InstanceIdentity
    ) {
        var outline = BatchOutline(
            instance: instance.index, size: request.batchSize, reason: reason, start: stages.start, end: stages.end)
        outline.hasFailed = error != nil
        statistics.keep(outline, by: instance.name, count: 1) { _ in request.record }
    }
}

extension BatchOutline {
    init(_ batch: ExecutedBatch, _ stages: StatisticsCollector.Stages, on instance: InstanceIdentity) {
        self.init(
            instance: instance.index, size: batch.rows, reason: batch.reason, start: stages.start,
            inferenceStart: stages.inferenceStart, inferenceEnd: stages.inferenceEnd, end: stages.end)
        leftWaiting = batch.leftWaiting
        isOnCaller = CallerRun.isActive
    }
}
