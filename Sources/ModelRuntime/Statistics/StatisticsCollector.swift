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

        package init(start: UInt64, inferenceStart: UInt64, inferenceEnd: UInt64, end: UInt64) {
            self.start = start
            self.inferenceStart = inferenceStart
            self.inferenceEnd = inferenceEnd
            self.end = end
        }
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

    private let state: Locked<ModelStatistics>
    /// Keeps the last batches; `nil` where none are kept.
    package let recorder: FlightRecorder?
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
        state = Locked(ModelStatistics(name: name, version: version))
        recorder = recordedBatches > 0 ? FlightRecorder(capacity: recordedBatches) : nil
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
        state.withLock { statistics in
            statistics.tags = configuration.metricTags
            if let buckets = configuration.firstResponseBuckets {
                statistics.latencies = LatencyHistograms(firstResponseBounds: buckets)
            }
        }
    }

    package func snapshot() -> ModelStatistics {
        var statistics = state.withLock { $0 }
        if let summaries {
            let now = clock.now()
            statistics.quantiles = summaries.withLock { $0.current(now: now) }
        }
        return statistics
    }

    private func summarize(_ arrivals: [UInt64], _ stages: Stages) {
        summaries?.withLock { summaries in
            for arrival in arrivals {
                summaries.record(stages.start &- arrival, of: .queue, now: stages.end)
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
        let count = UInt64(arrivals.count)
        let input = stages.inferenceStart &- stages.start
        let infer = stages.inferenceEnd &- stages.inferenceStart
        let output = stages.end &- stages.inferenceEnd
        state.withLock { statistics in
            var waited: UInt64 = 0
            var lasted: UInt64 = 0
            for arrival in arrivals {
                waited &+= stages.start &- arrival
                lasted &+= stages.end &- arrival
                statistics.latencies.queue.record(stages.start &- arrival)
                statistics.latencies.request.record(stages.end &- arrival)
                statistics.latencies.firstResponse.record(stages.end &- arrival)
            }
            statistics.lastInference = last
            statistics.inferenceCount &+= UInt64(clamping: items ?? batchSize)
            statistics.executionCount &+= 1
            statistics.success.add(lasted, times: count)
            statistics.queue.add(waited, times: count)
            statistics.computeInput.add(input &* count, times: count)
            statistics.computeInfer.add(infer &* count, times: count)
            statistics.computeOutput.add(output &* count, times: count)
            statistics.latencies.computeInput.record(input, times: count)
            statistics.latencies.computeInfer.record(infer, times: count)
            statistics.latencies.computeOutput.record(output, times: count)
            statistics.batchReasons[reason, default: 0] &+= 1
            let index = Self.batchIndex(batchSize, in: &statistics.batches)
            statistics.batches[index].computeInput.add(input)
            statistics.batches[index].computeInfer.add(infer)
            statistics.batches[index].computeOutput.add(output)
            statistics.batches[index].queue.add(waited, times: count)
        }
    }

    /// Counts a request of which its backend says what it took; ``recordExecution(batchSize:stages:)`` counts the
    /// execution that it was part of.
    func recordRequest(batchSize: Int, reason: BatchReason, arrival: UInt64, stages: Stages) {
        let last = wallClock()
        summarize([arrival], stages)
        state.withLock { statistics in
            statistics.latencies.queue.record(stages.start &- arrival)
            statistics.latencies.request.record(stages.end &- arrival)
            statistics.latencies.firstResponse.record(stages.end &- arrival)
            statistics.latencies.computeInput.record(stages.inferenceStart &- stages.start)
            statistics.latencies.computeInfer.record(stages.inferenceEnd &- stages.inferenceStart)
            statistics.latencies.computeOutput.record(stages.end &- stages.inferenceEnd)
            statistics.lastInference = last
            statistics.inferenceCount &+= UInt64(clamping: batchSize)
            statistics.success.add(stages.end &- arrival)
            statistics.queue.add(stages.start &- arrival)
            statistics.computeInput.add(stages.inferenceStart &- stages.start)
            statistics.computeInfer.add(stages.inferenceEnd &- stages.inferenceStart)
            statistics.computeOutput.add(stages.end &- stages.inferenceEnd)
            statistics.batchReasons[reason, default: 0] &+= 1
        }
    }

    /// Counts an execution of which its backend says what it took.
    func recordExecution(batchSize: Int, stages: Stages) {
        state.withLock { statistics in
            statistics.executionCount &+= 1
            let index = Self.batchIndex(batchSize, in: &statistics.batches)
            statistics.batches[index].computeInput.add(stages.inferenceStart &- stages.start)
            statistics.batches[index].computeInfer.add(stages.inferenceEnd &- stages.inferenceStart)
            statistics.batches[index].computeOutput.add(stages.end &- stages.inferenceEnd)
        }
    }

    /// Counts a request that ends with an error.
    ///
    /// - Parameter duration: nanoseconds since it arrived.
    package func recordFailure(duration: UInt64, cause: FailureCause) {
        state.withLock { statistics in
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
        state.withLock { statistics in
            statistics.lastInference = last
            statistics.success.add(duration)
            statistics.cacheHit.add(lookup)
            statistics.latencies.request.record(duration)
            statistics.latencies.firstResponse.record(duration)
        }
    }

    /// - Parameter duration: nanoseconds for looking in vain and for keeping the answer.
    func recordCacheMiss(duration: UInt64) {
        state.withLock { $0.cacheMiss.add(duration) }
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
        state.withLock { statistics in
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

    private static func batchIndex(_ batchSize: Int, in batches: inout [BatchStatistics]) -> Int {
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
