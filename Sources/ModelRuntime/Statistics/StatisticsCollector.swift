package import FlightRecords
package import ModelConfigurations
package import Scheduling
package import Threads

/// The one place where a model version's work is counted.
package final class StatisticsCollector: Sendable {
    /// When the stages of one execution began and ended, in nanoseconds of the clock.
    package struct Stages: Hashable, Sendable {
        package var start: UInt64
        package var inferenceStart: UInt64
        package var inferenceEnd: UInt64
        package var end: UInt64
        /// When the request came into the queue for the last time; `nil` for when it arrived.
        var enqueued: UInt64?

        package init(start: UInt64, inferenceStart: UInt64, inferenceEnd: UInt64, end: UInt64) {
            self.start = start
            self.inferenceStart = inferenceStart
            self.inferenceEnd = inferenceEnd
            self.end = end
        }

        /// How long a request waited that arrived then.
        func waited(since arrival: UInt64) -> UInt64 { start &- (enqueued ?? arrival) }
    }

    /// Why a request ends with an error: a ``FailureReason``, and for a rejected one the reason of that.
    package enum FailureCause: Hashable, Sendable {
        case canceled
        case rejected(RejectionReason)
        case backend
        case other

        var reason: FailureReason {
            switch self {
            case .canceled: .canceled
            case .rejected: .rejected
            case .backend: .backend
            case .other: .other
            }
        }
    }

    private struct State {
        var statistics: ModelStatistics
        /// The last batches; `nil` where none are kept. They lie under the same lock: a second one would cost more than
        /// all else that keeping a batch takes.
        var ring: BatchRing?
    }

    private let state: Locked<State>
    /// The last batches that are kept at most; 0 where none are.
    package let recordedBatches: Int
    /// `nil` where nobody wants any.
    private let summaries: Locked<LatencySummaries>?
    private let clock: any MonotonicClock
    /// Milliseconds since 1970.
    private let wallClock: @Sendable () -> UInt64

    /// - Parameters:
    ///   - quantiles: those that summaries show; empty for no summaries.
    ///   - recordedBatches: the last batches that are kept; 0 for none.
    package init(
        name: String, version: Int64, quantiles: [SummaryQuantile] = [], recordedBatches: Int = 0,
        clock: any MonotonicClock = SystemClock(),
        wallClock: @escaping @Sendable () -> UInt64 = WallClock.milliseconds
    ) {
        let ring = recordedBatches > 0 ? BatchRing(capacity: recordedBatches) : nil
        self.recordedBatches = ring?.capacity ?? 0
        state = Locked(State(statistics: ModelStatistics(name: name, version: version), ring: ring))
        summaries = quantiles.isEmpty ? nil : Locked(LatencySummaries(quantiles, now: clock.now()))
        self.clock = clock
        self.wallClock = wallClock
    }

    /// A collector for a model with that configuration.
    package convenience init(
        _ configuration: ModelConfiguration, version: Int64, quantiles: [SummaryQuantile], recordedBatches: Int = 0,
        clock: any MonotonicClock
    ) {
        self.init(
            name: configuration.name, version: version, quantiles: quantiles, recordedBatches: recordedBatches,
            clock: clock)
        count { statistics in
            statistics.tags = configuration.metricTags
            if let buckets = configuration.firstResponseBuckets {
                statistics.latencies = LatencyHistograms(firstResponseBounds: buckets)
            }
        }
    }

    private func count(_ body: (inout ModelStatistics) -> Void) { state.withLock { body(&$0.statistics) } }

    package func snapshot() -> ModelStatistics {
        var statistics = state.withLock { $0.statistics }
        if let summaries {
            let now = clock.now()
            statistics.quantiles = summaries.withLock { $0.current(now: now) }
        }
        return statistics
    }

    /// What is kept of the last batches; `nil` where none are.
    ///
    /// - Parameter number: only batches behind the one with that number.
    package func lastBatches(after number: UInt64 = 0) -> BatchCopy? {
        state.withLock { $0.ring?.copy(after: number) }
    }

    /// Keeps a batch that is not counted as a success here: it failed, or is counted request by request.
    func keep(_ batch: BatchOutline, by name: String, count: Int, request: (Int) -> RecordedRequest) {
        guard recordedBatches > 0 else { return }
        state.withLock { $0.ring?.append(batch, by: name, count: count, request: request) }
    }

    private func summarize(_ arrivals: some Sequence<UInt64>, _ stages: Stages) {
        summaries?.withLock { summaries in
            for arrival in arrivals {
                summaries.record(stages.waited(since: arrival), of: .queue, now: stages.end)
                summaries.record(stages.end &- arrival, of: .request, now: stages.end)
                summaries.record(stages.inferenceStart &- stages.start, of: .computeInput, now: stages.end)
                summaries.record(stages.inferenceEnd &- stages.inferenceStart, of: .computeInfer, now: stages.end)
                summaries.record(stages.end &- stages.inferenceEnd, of: .computeOutput, now: stages.end)
            }
        }
    }

    /// Counts a batch whose requests all got their responses.
    ///
    /// - Parameters:
    ///   - batchSize: rows that the model ran on.
    ///   - items: those of them that belong to a request; `nil` for all.
    ///   - arrivals: when each request arrived.
    package func recordSuccess(
        batchSize: Int, items: Int? = nil, reason: BatchReason, arrivals: [UInt64], stages: Stages
    ) {
        let last = wallClock()
        summarize(arrivals, stages)
        count { statistics in
            statistics.succeeded(
                batchSize: batchSize, items: items ?? batchSize, reason: reason, arrivals: arrivals, stages: stages)
            statistics.lastInference = last
        }
    }

    /// Counts a batch whose requests all got their responses, and keeps it: one lock for both, and no memory.
    func recordSuccess(_ batch: ExecutedBatch, _ stages: Stages, on instance: InstanceIdentity) {
        let last = wallClock()
        let arrivals = batch.requests.lazy.map { $0.request.arrival }
        summarize(arrivals, stages)
        let outline = recordedBatches > 0 ? BatchOutline(batch, stages, on: instance) : nil
        state.withLock { state in
            state.statistics.succeeded(
                batchSize: batch.rows, items: batch.items, reason: batch.reason, arrivals: arrivals, stages: stages)
            state.statistics.lastInference = last
            guard let outline else { return }
            state.ring?.append(outline, by: instance.name, count: batch.requests.count) {
                batch.requests[$0].request.record
            }
        }
    }

    /// Counts a request of which its backend says what it took; ``recordExecution(batchSize:stages:)`` counts the
    /// execution that it was part of.
    func recordRequest(batchSize: Int, reason: BatchReason, arrival: UInt64, stages: Stages) {
        let last = wallClock()
        summarize([arrival], stages)
        count { statistics in
            statistics.latencies.queue.record(stages.waited(since: arrival))
            statistics.latencies.request.record(stages.end &- arrival)
            statistics.latencies.firstResponse.record(stages.end &- arrival)
            statistics.latencies.computeInput.record(stages.inferenceStart &- stages.start)
            statistics.latencies.computeInfer.record(stages.inferenceEnd &- stages.inferenceStart)
            statistics.latencies.computeOutput.record(stages.end &- stages.inferenceEnd)
            statistics.lastInference = last
            statistics.inferenceCount &+= UInt64(clamping: batchSize)
            statistics.success.add(stages.end &- arrival)
            statistics.queue.add(stages.waited(since: arrival))
            statistics.computeInput.add(stages.inferenceStart &- stages.start)
            statistics.computeInfer.add(stages.inferenceEnd &- stages.inferenceStart)
            statistics.computeOutput.add(stages.end &- stages.inferenceEnd)
            statistics.batchReasons[reason, default: 0] &+= 1
        }
    }

    /// Counts an execution of which its backend says what it took.
    func recordExecution(batchSize: Int, stages: Stages) {
        count { statistics in
            statistics.executionCount &+= 1
            let index = statistics.indexOfBatches(of: batchSize)
            statistics.batches[index].computeInput.add(stages.inferenceStart &- stages.start)
            statistics.batches[index].computeInfer.add(stages.inferenceEnd &- stages.inferenceStart)
            statistics.batches[index].computeOutput.add(stages.end &- stages.inferenceEnd)
        }
    }

    /// Counts a request that ends with an error.
    ///
    /// - Parameter duration: nanoseconds since it arrived.
    package func recordFailure(duration: UInt64, cause: FailureCause) {
        count { statistics in
            statistics.fail.add(duration)
            statistics.failures[cause.reason, default: 0] &+= 1
            if case .rejected(let reason) = cause { statistics.rejections[reason, default: 0] &+= 1 }
        }
    }

    /// Counts a request that got an earlier one's answer.
    ///
    /// - Parameters:
    ///   - duration: nanoseconds since it arrived.
    ///   - lookup: nanoseconds of them for finding the answer.
    func recordCacheHit(duration: UInt64, lookup: UInt64) {
        let last = wallClock()
        if let summaries {
            let now = clock.now()
            summaries.withLock { summaries in
                summaries.record(duration, of: .request, now: now)
                summaries.record(lookup, of: .cacheHit, now: now)
            }
        }
        count { statistics in
            statistics.lastInference = last
            statistics.success.add(duration)
            statistics.cacheHit.add(lookup)
            statistics.latencies.request.record(duration)
            statistics.latencies.firstResponse.record(duration)
        }
    }

    /// - Parameter duration: nanoseconds for looking in vain and for keeping the answer.
    func recordCacheMiss(duration: UInt64) {
        count { $0.cacheMiss.add(duration) }
        guard let summaries else { return }
        let now = clock.now()
        summaries.withLock { $0.record(duration, of: .cacheMiss, now: now) }
    }

    /// What a decoupled model said.
    enum ResponseKind {
        case success
        case fail
        case empty
    }

    /// Counts the response with that number of a request.
    ///
    /// - Parameter duration: nanoseconds since the one before.
    func recordResponse(index: Int, _ kind: ResponseKind, duration: UInt64) {
        let index = min(index, ResponseStatistics.maximumIndex)
        count { statistics in
            while statistics.responses.count <= index { statistics.responses.append(ResponseStatistics()) }
            switch kind {
            case .success:
                statistics.responses[index].success.add(duration)
                statistics.responses[index].computeInfer.add(duration)
            case .fail: statistics.responses[index].fail.add(duration)
            case .empty: statistics.responses[index].empty.add(duration)
            }
        }
    }
}

extension ModelStatistics {
    /// Counts a batch whose requests all got their responses.
    fileprivate mutating func succeeded(
        batchSize: Int, items: Int, reason: BatchReason, arrivals: some Collection<UInt64>,
        stages: StatisticsCollector.Stages
    ) {
        let count = UInt64(arrivals.count)
        let input = stages.inferenceStart &- stages.start
        let infer = stages.inferenceEnd &- stages.inferenceStart
        let output = stages.end &- stages.inferenceEnd
        var waited: UInt64 = 0
        var lasted: UInt64 = 0
        for arrival in arrivals {
            waited &+= stages.waited(since: arrival)
            lasted &+= stages.end &- arrival
            latencies.queue.record(stages.waited(since: arrival))
            latencies.request.record(stages.end &- arrival)
            latencies.firstResponse.record(stages.end &- arrival)
        }
        inferenceCount &+= UInt64(clamping: items)
        executionCount &+= 1
        success.add(lasted, times: count)
        queue.add(waited, times: count)
        computeInput.add(input &* count, times: count)
        computeInfer.add(infer &* count, times: count)
        computeOutput.add(output &* count, times: count)
        latencies.computeInput.record(input, times: count)
        latencies.computeInfer.record(infer, times: count)
        latencies.computeOutput.record(output, times: count)
        batchReasons[reason, default: 0] &+= 1
        let index = indexOfBatches(of: batchSize)
        batches[index].computeInput.add(input)
        batches[index].computeInfer.add(infer)
        batches[index].computeOutput.add(output)
        batches[index].queue.add(waited, times: count)
    }

    /// Where batches of that size are counted.
    fileprivate mutating func indexOfBatches(of batchSize: Int) -> Int {
        if let index = batches.firstIndex(where: { $0.batchSize >= batchSize }) {
            if batches[index].batchSize != batchSize {
                batches.insert(BatchStatistics(batchSize: batchSize), at: index)
            }
            return index
        }
        batches.append(BatchStatistics(batchSize: batchSize))
        return batches.count - 1
    }
}
