/// Quantiles of the latencies of one model version's requests.
struct LatencySummaries: Sendable {
    private let quantiles: [SummaryQuantile]
    private var stages: [LatencyQuantiles.Stage: RecentQuantiles] = [:]

    /// - Parameter now: nanoseconds of the clock.
    init(_ quantiles: [SummaryQuantile], now: UInt64) {
        self.quantiles = quantiles
        for stage in LatencyQuantiles.Stage.allCases { stages[stage] = RecentQuantiles(quantiles, now: now) }
    }

    /// - Parameter duration: nanoseconds.
    mutating func record(_ duration: UInt64, of stage: LatencyQuantiles.Stage, now: UInt64) {
        stages[stage]?.insert(duration / 1000, now: now)
    }

    mutating func current(now: UInt64) -> LatencyQuantiles {
        var values: [LatencyQuantiles.Stage: [UInt64?]] = [:]
        for stage in LatencyQuantiles.Stage.allCases { values[stage] = stages[stage]?.values(at: quantiles, now: now) }
        return LatencyQuantiles(quantiles: quantiles.map(\.quantile), values: values)
    }
}
