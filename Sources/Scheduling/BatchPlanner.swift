/// A batch that could be taken now.
struct BatchPlan: Equatable {
    var bucket: Int
    var requestCount: Int
    var size: Int
    var reason: BatchReason
}

/// What to do with what waits.
enum BatchDecision: Equatable {
    case run(BatchPlan)
    /// Nothing may run yet; something may at that time, in nanoseconds.
    case wait(until: UInt64)
    case empty
}

/// Batch formation: given the queue and the time, which requests run as one, and why.
///
/// The rules are Triton's. A preferred size runs as soon as it can be made, the largest that can be. Where none can be
/// made, what is at the largest preferred size, past it, or would be past it with the next request, runs at once too:
/// the delay is for what can still become a preferred size. Until the oldest request's delay is over nothing else runs;
/// after that, whatever has come together does. Where nothing is held back (a delay of 0), these sizes are still taken
/// before a larger one. Unlike in Triton, requests of other shapes are passed over instead of ending the batch.
///
/// A latency budget, where the model has one, comes on top of that: see ``LatencyBudget``.
struct BatchPlanner {
    let options: SchedulingOptions
    /// `nil` where the model has none.
    var budget: LatencyBudget?

    init(options: SchedulingOptions) {
        self.options = options
        budget =
            options.latencyBudget > 0 && options.combinesRequests ? LatencyBudget(options.latencyBudget) : nil
    }

    /// - Parameter isDraining: holds nothing back.
    func decide(_ queue: inout RequestQueue, now: UInt64, isDraining: Bool) -> BatchDecision {
        guard !queue.isEmpty else { return .empty }
        guard let bucket = queue.nextBucket(now: isDraining ? .max : now) else {
            return .wait(until: queue.nextRelease ?? .max)
        }
        guard options.combinesRequests else {
            return .run(
                BatchPlan(bucket: bucket, requestCount: 1, size: queue.firstSize(bucket), reason: .unbatched))
        }
        return .run(plan(&queue, bucket, now: now, isDraining: isDraining))
    }

    private func plan(_ queue: inout RequestQueue, _ bucket: Int, now: UInt64, isDraining: Bool) -> BatchPlan {
        let reach = queue.reach(bucket)
        let isExpired = options.maxQueueDelay > 0 && queue.releaseTime(bucket) <= now
        if let ripe = reach.ripe(options), !isExpired {
            // Where the maximum is the one size that is preferred, it is what the next request does not fit.
            let isFull =
                ripe.size == options.maxBatchSize
                || options.largestPreferredBatchSize == options.maxBatchSize && reach.preferred == nil
            let isRefused = reach.isRefused && reach.preferred == nil && ripe == reach.extent
            let reason: BatchReason = isRefused ? .strategy : isFull ? .full : .preferredSize
            return BatchPlan(bucket: bucket, requestCount: ripe.requestCount, size: ripe.size, reason: reason)
        }
        let extent = reach.extent
        let reason: BatchReason =
            if reach.isRefused {
                .strategy
            } else if reach.isLimited {
                .full
            } else if reach.preferred?.size == extent.size {
                .preferredSize
            } else if isDraining {
                .draining
            } else if queue.count > queue.buckets[bucket].count {
                .shapeBoundary
            } else if isExpired {
                .delayExpired
            } else {
                .instanceFree
            }
        return BatchPlan(bucket: bucket, requestCount: extent.requestCount, size: extent.size, reason: reason)
    }
}
