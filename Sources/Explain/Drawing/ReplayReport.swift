internal import FlightRecords
internal import Scheduling

/// What a replay found, as a table.
package struct ReplayReport {
    private let rows: [(name: String, outcome: Replay.Outcome)]

    package init(_ rows: [(name: String, outcome: Replay.Outcome)]) { self.rows = rows }

    package var text: String {
        let header = ["", "batches", "mean size", "largest", "p50", "p99", "requests/s"]
        let cells = rows.map { row in
            [
                row.name, "\(row.outcome.batchCount)", PlainText.rounded(row.outcome.meanSize),
                "\(row.outcome.largestSize)", PlainText.duration(row.outcome.median),
                PlainText.duration(row.outcome.p99), PlainText.rounded(row.outcome.throughput),
            ]
        }
        let widths = header.indices.map { index in ([header] + cells).map { $0[index].count }.max() ?? 0 }
        var lines = ([header] + cells).map { row in
            row.indices.map { index in
                index == 0 ? PlainText.fitted(row[index], widths[index]) : PlainText.right(row[index], widths[index])
            }.joined(separator: "  ")
        }
        lines.append("")
        for row in rows { lines.append("\(row.name): batches closed by \(Self.reasons(row.outcome))") }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func reasons(_ outcome: Replay.Outcome) -> String {
        let sorted = outcome.reasons.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
        return sorted.map { "\($0.key.rawValue) \($0.value)" }.joined(separator: ", ")
    }
}
