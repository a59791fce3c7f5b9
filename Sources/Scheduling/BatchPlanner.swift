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
/// made, what is at the largest preferred size, past it, or would be past it with the next request, runs at once too: the
/// delay is for what can still become a preferred size. Until the oldest request's delay is over nothing else runs; after
/// that, whatever has come together does. Where nothing is held back (a delay of 0), these sizes are still taken before a
/// larger one. Unlike in Triton, requests of other shapes are passed over instead of ending the batch.
struct BatchPlanner {
    let options: SchedulingOptions

    /// - Parameter isDraining: holds nothing back.
    func decide(_ queue: RequestQueue, now: UInt64, isDraining: Bool) -> BatchDecision {
        guard !queue.isEmpty else { return .empty }
        var best: (plan: BatchPlan, lane: Int, sequence: UInt64)?
        var earliest = UInt64.max
        for bucket in queue.buckets.indices where queue.buckets[bucket].count > 0 {
            switch decide(queue, bucket: bucket, now: now, isDraining: isDraining) {
            case .run(let plan):
                if queue.count == queue.buckets[bucket].count { return .run(plan) }
                let head = headPosition(queue, bucket: bucket)
                if let current = best, (current.lane, current.sequence) <= (head.lane, head.sequence) { continue }
                best = (plan, head.lane, head.sequence)
            case .wait(let until): earliest = min(earliest, until)
            case .empty: break
            }
        }
        if let best { return .run(best.plan) }
        return .wait(until: earliest)
    }

    /// Where a bucket's first request stands in the order in which requests are served.
    private func headPosition(_ queue: RequestQueue, bucket: Int) -> (lane: Int, sequence: UInt64) {
        for (lane, list) in queue.buckets[bucket].lanes.enumerated() {
            if let head = queue.slab.request(at: list.first) { return (lane, head.sequence) }
        }
        return (Int.max, UInt64.max)
    }

    private func decide(_ queue: RequestQueue, bucket: Int, now: UInt64, isDraining: Bool) -> BatchDecision {
        guard options.combinesRequests else {
            let head = firstSize(queue, bucket: bucket)
            return .run(BatchPlan(bucket: bucket, requestCount: 1, size: head, reason: .unbatched))
        }
        let reach = reach(queue, bucket: bucket)
        let deadline = delayDeadline(queue, bucket: bucket)
        let isExpired = options.maxQueueDelay > 0 && deadline <= now
        if let ripe = reach.preferred ?? reach.saturated, !isExpired {
            // Where the maximum is the one size that is preferred, it is what the next request does not fit.
            let isFull =
                ripe.size == options.maxBatchSize
                || options.largestPreferredBatchSize == options.maxBatchSize && reach.preferred == nil
            let reason: BatchReason = isFull ? .full : .preferredSize
            return .run(BatchPlan(bucket: bucket, requestCount: ripe.requestCount, size: ripe.size, reason: reason))
        }
        guard isDraining || options.maxQueueDelay == 0 || isExpired else { return .wait(until: deadline) }
        let reason: BatchReason =
            if reach.isLimited {
                .full
            } else if reach.preferred?.size == reach.size {
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
        return .run(BatchPlan(bucket: bucket, requestCount: reach.requestCount, size: reach.size, reason: reason))
    }

    private struct Reach {
        var requestCount = 0
        var size = 0
        /// The maximum was reached, or the next request would go over it.
        var isLimited = false
        /// The largest preferred size that a beginning of these requests makes.
        var preferred: (requestCount: Int, size: Int)?
        /// The beginning that can't become a preferred size any more, where none is one: at the largest of them, past it,
        /// or past it with the next request.
        var saturated: (requestCount: Int, size: Int)?
    }

    /// How far a batch from the head of the bucket can reach.
    private func reach(_ queue: RequestQueue, bucket: Int) -> Reach {
        var reach = Reach()
        for list in queue.buckets[bucket].lanes where !list.isEmpty {
            var index = list.first
            while index >= 0 {
                let size = reach.size + queue.slab.batchSize(at: index)
                if size > options.largestPreferredBatchSize, reach.saturated == nil, reach.requestCount > 0 {
                    reach.saturated = (reach.requestCount, reach.size)
                }
                if size > options.maxBatchSize {
                    reach.isLimited = true
                    return reach
                }
                reach.size = size
                reach.requestCount += 1
                if options.preferredBatchSizes.contains(size) { reach.preferred = (reach.requestCount, size) }
                if size == options.maxBatchSize {
                    reach.isLimited = true
                    reach.saturated = reach.saturated ?? (reach.requestCount, size)
                    return reach
                }
                index = queue.slab.next(after: index)
            }
        }
        if reach.size >= options.largestPreferredBatchSize, reach.saturated == nil {
            reach.saturated = (reach.requestCount, reach.size)
        }
        return reach
    }

    private func firstSize(_ queue: RequestQueue, bucket: Int) -> Int {
        for list in queue.buckets[bucket].lanes where !list.isEmpty { return queue.slab.batchSize(at: list.first) }
        return 1
    }

    /// When the bucket's oldest request has been held back long enough. A request behind its own timeout is held back
    /// no further.
    private func delayDeadline(_ queue: RequestQueue, bucket: Int) -> UInt64 {
        var oldest = UInt64.max
        for (lane, list) in queue.buckets[bucket].lanes.enumerated() {
            guard let head = queue.slab.request(at: list.first) else { continue }
            if lane % 2 == 1 { return 0 }
            oldest = min(oldest, head.enqueueTime)
        }
        let (deadline, overflow) = oldest.addingReportingOverflow(options.maxQueueDelay)
        return overflow ? UInt64.max : deadline
    }
}
