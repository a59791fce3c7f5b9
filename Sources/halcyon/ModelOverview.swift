internal import Halcyon

/// The models with their state, for the log at start.
enum ModelOverview {
    static func text(_ entries: [ModelIndexEntry]) -> String {
        let rows =
            [["model", "version", "state", "reason"]]
            + entries.map { entry in
                let reason = entry.reason.split(separator: "\n").first.map(String.init) ?? ""
                return [
                    entry.name, entry.version.map(String.init) ?? "-", entry.state?.rawValue ?? "not loaded", reason,
                ]
            }
        let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for column in 0..<3 {
                line += row[column] + String(repeating: " ", count: widths[column] - row[column].count + 2)
            }
            line += row[3]
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
