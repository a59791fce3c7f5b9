/// What makes a setting good.
package struct Objective: Hashable, Sendable {
    package enum Aim: String, Hashable, Sendable, CaseIterable {
        case throughput
        case latency
    }

    /// What was measured of a setting.
    package struct Figures: Hashable, Sendable {
        /// Inferences a second.
        package var throughput: Double
        /// In nanoseconds.
        package var meanLatency: Double
        package var p99: Double

        package init(throughput: Double, meanLatency: Double, p99: Double) {
            self.throughput = throughput
            self.meanLatency = meanLatency
            self.p99 = p99
        }
    }

    package var aim: Aim
    /// What the 99th percentile of the latency may be, in nanoseconds; `nil` for anything.
    package var limit: Double?

    package init(_ aim: Aim, limit: Double? = nil) {
        self.aim = aim
        self.limit = limit
    }

    /// More is better. What breaks the limit is worse than all that keep it, and the worse the more it does.
    package func value(_ figures: Figures) -> Double {
        let value = aim == .throughput ? figures.throughput : figures.meanLatency > 0 ? 1e9 / figures.meanLatency : 0
        guard let limit, figures.p99 > limit else { return value }
        return value * 1e-3 * limit / figures.p99
    }

    /// Whether figures keep the limit.
    package func keeps(_ figures: Figures) -> Bool { limit.map { figures.p99 <= $0 } ?? true }
}
