/// What a model's latency budget makes of a batch: a pure function of what was measured.
///
/// A batch is not larger than its oldest request has time for, where the ones behind it then still have time for
/// theirs. Where they have not, nobody gains by a smaller batch, and the one that gets most done runs. A free instance
/// waits for more requests only where they come faster than batches of the present size are executed and a larger
/// batch costs less for each of its items, and never longer than the oldest request has time for a batch of the
/// largest size.
struct LatencyBudget: Sendable {
    /// How much quicker than requests come instances have to be for nothing to be held back.
    private static let headroom = 1.1
    /// What an item may cost in a larger batch at most, as a share of what it costs now, for one to be waited for.
    private static let gain = 0.9

    /// Nanoseconds from a request's arrival to its answer.
    let budget: UInt64
    private(set) var times = ExecutionTimes()
    private var lastArrival: UInt64?
    /// The mean time between two items that come, in nanoseconds.
    private var meanGap: Double?

    init(_ budget: UInt64) { self.budget = budget }

    mutating func executed(size: Int, duration: UInt64) { times.note(size: size, duration: duration) }

    mutating func arrived(items: Int, now: UInt64) {
        defer { lastArrival = max(now, lastArrival ?? now) }
        guard let lastArrival else { return }
        let gap = (now > lastArrival ? Double(now - lastArrival) : 0) / Double(max(1, items))
        guard let meanGap else { return self.meanGap = gap }
        self.meanGap = meanGap + (gap - meanGap) / 16
    }

    /// When a request that came then is to be answered.
    func deadline(arrival: UInt64) -> UInt64 {
        let (deadline, overflow) = arrival.addingReportingOverflow(budget)
        return overflow ? .max : deadline
    }

    /// Whether batches of those sizes, one after the other from now on, are done in time for a request that came then.
    func isInTime(_ sizes: [Int], arrival: UInt64, now: UInt64) -> Bool {
        let end = sizes.reduce(now) { end, size in
            let (sum, overflow) = end.addingReportingOverflow(times.bound(size: size) ?? 0)
            return overflow ? .max : sum
        }
        return end <= deadline(arrival: arrival)
    }

    /// Until when a batch may be held back for its oldest request to be in time even in the largest batch.
    func latestStart(largest: Int, oldest: UInt64) -> UInt64 {
        let deadline = deadline(arrival: oldest)
        let duration = times.bound(size: largest) ?? 0
        return deadline > duration ? deadline - duration : 0
    }

    /// Whether a free instance is better kept waiting for a larger batch.
    ///
    /// - Parameters:
    ///   - size: of the batch that could run now.
    ///   - largest: the size that it could grow to.
    ///   - instances: those that the model has.
    func isWorthHolding(size: Int, largest: Int, instances: Int) -> Bool {
        guard size < largest, let meanGap, let now = times.mean(size: size), let then = times.mean(size: largest),
            now > 0
        else { return false }
        guard now / Double(size) / Double(max(1, instances)) * Self.headroom > meanGap else { return false }
        return then / Double(largest) < Self.gain * now / Double(size)
    }
}
