/// Everything that a measurement says.
package struct BenchReport: Sendable {
    package var model: String
    /// Empty for the newest.
    package var version: String
    /// The server's address, or that it is in this process.
    package var target: String
    /// How requests look: their wire, batch and inputs.
    package var requests: String
    package var results: [LevelResult]

    package init(model: String, version: String, target: String, requests: String, results: [LevelResult]) {
        self.model = model
        self.version = version
        self.target = target
        self.requests = requests
        self.results = results
    }

    package var headline: String {
        "Model '\(model)'\(version.isEmpty ? "" : ", version \(version),") \(target.contains("://") ? "at" : "in") "
            + "\(target): \(requests)"
    }

    var isStreaming: Bool { results.contains { $0.window.counts.firstResponse.count > 0 } }
    var hasServer: Bool { results.contains { $0.window.server != nil } }
    var hasLate: Bool { results.contains { $0.window.counts.late > 0 } }

    /// What is to be known beside the figures, a sentence each.
    package var notes: [String] {
        var notes: [String] = []
        for result in results {
            let load = "\(result.load.kind) \(result.load.label)"
            switch result.steady {
            case .yes, .once: break
            case .no:
                notes.append(
                    "* \(load): the windows did not agree; the figures are those of the last ones. Longer ones may "
                        + "help: --window"
                )
            case .interrupted: notes.append("* \(load): it was ended before the windows agreed")
            }
            for (kind, count) in result.window.counts.errors.sorted(by: { $0.value > $1.value }) {
                notes.append("  \(load): \(count) × \(kind)")
            }
        }
        if hasLate {
            notes.append(
                "  late: requests that were due while all connections were busy; their latency counts from when they "
                    + "were due"
            )
        }
        return notes
    }
}
