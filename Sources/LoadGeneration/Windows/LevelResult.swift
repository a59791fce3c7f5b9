/// What one load brought.
package struct LevelResult: Sendable {
    package enum Steady: String, Hashable, Sendable {
        case yes
        /// The windows did not agree.
        case no
        /// Somebody, or a fault, ended it before.
        case interrupted
        /// A recording was played to its end: nothing is compared.
        case once
    }

    package var load: Load
    /// Items in each request.
    package var batch: Int
    package var steady: Steady
    /// The windows that count, as one.
    package var window: Window

    package init(load: Load, batch: Int, steady: Steady, window: Window) {
        self.load = load
        self.batch = batch
        self.steady = steady
        self.window = window
    }

    /// The load, with a star where the figures are not sure.
    var label: String { load.label + (steady == .yes || steady == .once ? "" : "*") }

    package var inferencesPerSecond: Double { window.rate * Double(batch) }
    package var responsesPerSecond: Double {
        window.seconds > 0 ? Double(window.counts.responses) / window.seconds : 0
    }
    package var latency: LatencyHistogram { window.counts.latency }

    /// Where an average request's time went, in nanoseconds; the rest is the way between client and server.
    package var stages: [(name: String, nanoseconds: Double)] {
        guard let server = window.server, server.success.count > 0 else { return [] }
        let stages = [
            ("queue", server.queue.mean), ("input", server.computeInput.mean), ("infer", server.computeInfer.mean),
            ("output", server.computeOutput.mean),
        ]
        let way = latency.mean - stages.map(\.1).reduce(0, +)
        return (stages + [("wire and client", max(0, way))]).map { (name: $0.0, nanoseconds: $0.1) }
    }
}
