internal import FlightRecords
internal import Scheduling

/// Why a batch was closed with the requests that it has, in words.
struct ReasonText {
    private let recording: Recording

    init(_ recording: Recording) { self.recording = recording }

    func text(_ batch: RecordedBatch) -> String {
        var text = reason(batch)
        if batch.leftWaiting > 0 { text += "; \(count(batch.leftWaiting)) went on waiting" }
        if batch.hasFailed { text += "; it failed" }
        return text
    }

    private func reason(_ batch: RecordedBatch) -> String {
        let settings = recording.settings
        switch batch.reason {
        case .unbatched where settings.otherScheduler == "decoupled": return "a request with any number of responses"
        case .unbatched where settings.isDynamic: return "run again by itself, as the batch it was in could not run"
        case .unbatched: return "no dynamic_batching: each request runs by itself"
        case .full where batch.size >= settings.maxBatchSize: return "full: max_batch_size is \(settings.maxBatchSize)"
        case .full: return "full: the next request would have gone over max_batch_size, \(settings.maxBatchSize)"
        case .preferredSize:
            return settings.preferredBatchSizes.contains(batch.size)
                ? "\(batch.size) is a preferred_batch_size" : "no preferred_batch_size could be reached any more"
        case .delayExpired:
            let delay = settings.maxQueueDelayMicroseconds.multipliedReportingOverflow(by: 1000).partialValue
            return "the oldest had waited as long as it may: max_queue_delay is \(PlainText.duration(delay))"
        case .latencyBudget:
            let budget = settings.latencyBudgetMicroseconds.multipliedReportingOverflow(by: 1000).partialValue
            return "closed so that its requests keep their budget of \(PlainText.duration(budget))"
        case .instanceFree: return free(batch)
        case .shapeBoundary: return "all of their shape; the others have another one"
        case .strategy: return "the model's own batching did not let the next request in"
        case .draining: return "the model was being stopped, which holds nothing back"
        }
    }

    /// Requests that came while the instance was idle did not have to wait; the others came together meanwhile.
    private func free(_ batch: RecordedBatch) -> String {
        let before = recording.batches.filter { $0.instance == batch.instance && $0.end <= batch.start }
        let busyUntil = before.map(\.end).max() ?? 0
        let waited = batch.requests.count { $0.arrival < busyUntil }
        if batch.isOnCaller { return "an instance was idle, and the caller ran it at once" }
        if waited == 0 {
            return batch.requests.count > 1
                ? "an instance was idle, and these had come before its worker was there"
                : "an instance was idle, and nothing else waited"
        }
        return waited == 1
            ? "it waited until an instance was free"
            : "they came while all instances were busy, and all that waited were taken"
    }

    private func count(_ requests: Int) -> String { requests == 1 ? "1 request" : "\(requests) requests" }
}
