internal import ConfigurationSearch
internal import LoadGeneration
internal import Tensors

/// Some requests at once in one setting: how long all took, and where the time went.
struct GridRow {
    /// Odd, so that there is one in the middle.
    static let rounds = 5
    static let titles = ["instances", "batching", "total", "executions", "largest batch", "queue", "compute"]

    var setting: Setting
    /// Nanoseconds; those of a stage are the mean of the requests.
    var total: Double
    var executions: UInt64
    var largestBatch: Int
    var queue: Double
    var compute: Double

    static func measure(
        _ server: CandidateServer, _ setting: Setting, requests: Int
    ) throws(HalcyonError) -> GridRow {
        // The first finds an engine that is not warm.
        _ = try server.burst(requests)
        var rows: [GridRow] = []
        for _ in 0..<rounds {
            let (nanoseconds, counts) = try server.burst(requests)
            rows.append(
                GridRow(
                    setting: setting, total: nanoseconds, executions: counts.executions,
                    largestBatch: counts.largestBatch, queue: counts.queue.mean,
                    compute: counts.computeInput.mean + counts.computeInfer.mean + counts.computeOutput.mean))
        }
        return rows.sorted { $0.total < $1.total }[rounds / 2]
    }

    var words: [String] {
        [
            String(setting.instances), Axis.batching.text(setting), Figures.milliseconds(total), String(executions),
            String(largestBatch), Figures.milliseconds(queue), Figures.milliseconds(compute),
        ]
    }
}
