/// A column of a report: its name, what is in it, and what it is called where there is room.
struct Column: Sendable {
    var title: String
    var key: String
    var unit: String
    var value: @Sendable (LevelResult) -> Double?
    var format: @Sendable (Double) -> String = Figures.short

    static func all(_ report: BenchReport) -> [Column] {
        var columns = [
            Column(title: "infer/s", key: "inferences_per_second", unit: "") { $0.inferencesPerSecond }
        ]
        func time(_ title: String, _ key: String, _ value: @escaping @Sendable (LevelResult) -> Double?) -> Column {
            Column(title: title, key: "\(key)_ns", unit: "ms", value: value, format: Figures.milliseconds)
        }
        if report.isStreaming {
            columns.append(Column(title: "resp/s", key: "responses_per_second", unit: "") { $0.responsesPerSecond })
            columns.append(time("first p50", "first_response_p50") { first($0, 50) })
            columns.append(time("first p99", "first_response_p99") { first($0, 99) })
        }
        columns.append(time("mean", "latency_mean") { $0.latency.mean })
        for percent in [50.0, 90, 95, 99] {
            let name = "p\(Int(percent))"
            columns.append(time(name, "latency_\(name)") { Double($0.latency.percentile(percent)) })
        }
        columns.append(time("max", "latency_max") { Double($0.latency.largest) })
        if report.hasServer {
            columns.append(time("queue", "server_queue") { $0.window.server?.queue.mean })
            columns.append(time("input", "server_compute_input") { $0.window.server?.computeInput.mean })
            columns.append(time("infer", "server_compute_infer") { $0.window.server?.computeInfer.mean })
            columns.append(time("output", "server_compute_output") { $0.window.server?.computeOutput.mean })
            columns.append(Column(title: "batch", key: "mean_batch", unit: "") { $0.window.server?.meanBatch })
        }
        if report.hasLate {
            columns.append(Column(title: "late", key: "late", unit: "") { Double($0.window.counts.late) })
        }
        columns.append(Column(title: "errors", key: "errors", unit: "") { Double($0.window.counts.errorCount) })
        return columns
    }

    private static func first(_ result: LevelResult, _ percent: Double) -> Double? {
        let first = result.window.counts.firstResponse
        return first.count > 0 ? Double(first.percentile(percent)) : nil
    }
}
