internal import Halcyon

/// The cases side by side, so that the effect of a line of configuration is seen at a glance.
struct CaseTable {
    private let results: [CaseResult]

    init(_ results: [CaseResult]) { self.results = results }

    private static let header = [
        "case", "total ms", "executions", "largest batch", "queue", "compute input", "infer", "output",
        "queue by batch size", "batches closed by",
    ]

    var text: String {
        let rows = [Self.header] + results.map(Self.row)
        let widths = Self.header.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                if column == row.count - 1 { return row[column] }
                return column == 0 ? row[column] + padding : padding + row[column]
            }.joined(separator: "  ")
        }
        return (lines + ["Times of queue, compute input, infer and output are means a request, in ms."])
            .joined(separator: "\n")
    }

    private static func row(_ result: CaseResult) -> [String] {
        let statistics = result.statistics.models.first ?? ModelStatistics(name: result.model, version: 0)
        let mean = { (duration: DurationStatistic) in (duration.mean / 1_000_000).formatted(digits: 2) }
        let reasons = statistics.batchReasons.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
            .map { "\($0.key.rawValue) \($0.value)" }
        return [
            result.repository, result.milliseconds.formatted(digits: 0), "\(statistics.executionCount)",
            "\(statistics.largestBatch)",
            mean(statistics.queue), mean(statistics.computeInput), mean(statistics.computeInfer),
            mean(statistics.computeOutput),
            statistics.batches.map { "\($0.batchSize): \(mean($0.queue))" }.joined(separator: ", "),
            reasons.joined(separator: ", "),
        ]
    }
}
