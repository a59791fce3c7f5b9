extension BatchPlanner {
    /// The instances that a decision is for.
    struct Instances {
        /// Others that are free, or on their way.
        var spare: Int
        /// All that take batches.
        var active: Int
    }

    /// What to do with what waits, so that requests keep their latency budget.
    func decide(
        _ queue: inout RequestQueue, now: UInt64, isDraining: Bool, for instances: Instances
    ) -> BatchDecision {
        let decision = decide(&queue, now: now, isDraining: isDraining)
        guard let budget, !isDraining, !budget.times.isEmpty else { return decision }
        switch decision {
        case .empty: return .empty
        case .wait(let until): return keep(budget, &queue, now: now, until: until, instances)
        case .run(var plan):
            guard let oldest = queue.oldestInTime(plan.bucket) else { return decision }
            // A delay that was set holds back as long as it says; without one, the budget does.
            let isOpen = plan.reason == .instanceFree || plan.reason == .shapeBoundary
            if isOpen, options.maxQueueDelay == 0,
                budget.isWorthHolding(
                    size: plan.size, largest: options.largestPreferredBatchSize, instances: instances.active)
            {
                let latest = budget.latestStart(largest: options.maxBatchSize, oldest: oldest)
                if latest > now { return .wait(until: latest) }
                plan.reason = .latencyBudget
            }
            return .run(shortened(plan, budget, queue, now: now, instances))
        }
    }

    /// What is held back runs as soon as its oldest request has no more time than it needs.
    private func keep(
        _ budget: LatencyBudget, _ queue: inout RequestQueue, now: UInt64, until: UInt64, _ instances: Instances
    ) -> BatchDecision {
        var earliest = until
        for bucket in queue.buckets.indices where queue.buckets[bucket].count > 0 {
            guard let oldest = queue.oldestInTime(bucket) else { continue }
            let latest = budget.latestStart(largest: options.maxBatchSize, oldest: oldest)
            guard latest <= now else {
                earliest = min(earliest, latest)
                continue
            }
            let extent = queue.reach(bucket).extent
            let plan = BatchPlan(
                bucket: bucket, requestCount: extent.requestCount, size: extent.size, reason: .latencyBudget)
            return .run(shortened(plan, budget, queue, now: now, instances))
        }
        return .wait(until: earliest)
    }

    /// A plan, or its beginning where that is in time and so is the rest behind it.
    private func shortened(
        _ plan: BatchPlan, _ budget: LatencyBudget, _ queue: RequestQueue, now: UInt64, _ instances: Instances
    ) -> BatchPlan {
        guard plan.requestCount > 1 else { return plan }
        let requests = queue.first(plan.requestCount, of: plan.bucket)
        guard let oldest = requests.map(\.enqueueTime).min(), !budget.isInTime([plan.size], arrival: oldest, now: now)
        else {
            return plan
        }
        var size = plan.size
        for count in (1..<requests.count).reversed() {
            size -= requests[count].batchSize
            let first = requests[..<count].map(\.enqueueTime).min() ?? oldest
            let next = requests[count...].map(\.enqueueTime).min() ?? oldest
            let rest = plan.size - size
            guard budget.isInTime([size], arrival: first, now: now),
                budget.isInTime(instances.spare > 0 ? [rest] : [size, rest], arrival: next, now: now)
            else { continue }
            return BatchPlan(bucket: plan.bucket, requestCount: count, size: size, reason: .latencyBudget)
        }
        return plan
    }
}

extension RequestQueue {
    /// When the oldest came of those that are the first of their priority; `nil` where one is behind its own timeout
    /// already, and is held back no further.
    fileprivate func oldestInTime(_ bucket: Int) -> UInt64? {
        var oldest = UInt64.max
        for (lane, list) in buckets[bucket].lanes.enumerated() where !list.isEmpty {
            if lane % 2 == 1 { return nil }
            oldest = min(oldest, slab.enqueueTime(at: list.first))
        }
        return oldest
    }
}
