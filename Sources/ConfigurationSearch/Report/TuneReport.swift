/// What a search for a configuration has found.
package struct TuneReport: Sendable {
    /// A setting, and what was measured of it.
    package struct Entry: Hashable, Sendable {
        package var setting: Setting
        package var figures: Objective.Figures
        package var comparison: Comparison

        package init(setting: Setting, figures: Objective.Figures, comparison: Comparison) {
            self.setting = setting
            self.figures = figures
            self.comparison = comparison
        }
    }

    package var model: String
    package var objective: Objective
    package var present: Entry
    /// Best first.
    package var finalists: [Entry]
    /// For each thing that the best has otherwise: by how many times it would be worse without it; `nil` where that was
    /// not measured.
    package var parts: [(axis: Axis, gain: Double?)] = []
    /// Settings that were measured, and how many there are.
    package var tried: Int
    package var size: Int
    /// Settings that could not be, with the reason.
    package var refused: [(setting: Setting, reason: String)] = []
    /// Whether the search came to its end before its time was over.
    package var isComplete = true

    package init(
        model: String, objective: Objective, present: Entry, finalists: [Entry], tried: Int, size: Int
    ) {
        self.model = model
        self.objective = objective
        self.present = present
        self.finalists = finalists
        self.tried = tried
        self.size = size
    }

    /// What is surely better than what there is; `nil` for nothing.
    package var winner: Entry? {
        guard let best = finalists.first else { return nil }
        if !objective.keeps(present.figures), objective.keeps(best.figures) { return best }
        guard objective.keeps(best.figures) || !objective.keeps(present.figures) else { return nil }
        return best.comparison.isBetter ? best : nil
    }

    private var axes: [Axis] {
        let settings = [present.setting] + finalists.map(\.setting)
        return Axis.allCases.filter { axis in
            axis == .instances || axis == .batching || Set(settings.map { axis.text($0) }).count > 1
        }
    }

    /// A ranking as rows of words, with titles first.
    package func rows(_ number: (Double) -> String) -> [[String]] {
        var rows = [[""] + axes.map(\.rawValue) + ["infer/s", "mean ms", "p99 ms", "× present", "sure (95 %)"]]
        for (index, entry) in finalists.enumerated() { rows.append(row(String(index + 1), entry, number)) }
        rows.append(row("present", present, number))
        return rows
    }

    private func row(_ name: String, _ entry: Entry, _ number: (Double) -> String) -> [String] {
        let figures = entry.figures
        let interval = entry.comparison.interval.map { "\(number($0.lowerBound)) to \(number($0.upperBound))" } ?? "-"
        return [name] + axes.map { $0.text(entry.setting) } + [
            number(figures.throughput), number(figures.meanLatency / 1e6),
            number(figures.p99 / 1e6) + (objective.keeps(figures) ? "" : "!"),
            entry.setting == present.setting ? "1" : number(entry.comparison.mean),
            entry.setting == present.setting ? "-" : interval,
        ]
    }

    /// What the figures say, a sentence each.
    package func sentences(_ number: (Double) -> String) -> [String] {
        let aim = objective.aim == .throughput ? "throughput" : "speed (1 / mean latency)"
        var sentences: [String] = []
        if let winner {
            let interval = winner.comparison.interval
            sentences.append(
                "The best has \(number(winner.comparison.mean)) times the present \(aim)"
                    + (interval.map {
                        "; with 95 % certainty \(number($0.lowerBound)) to \(number($0.upperBound)) times"
                    } ?? "")
                    + ".")
            for part in parts {
                let text = part.axis.text(winner.setting)
                sentences.append(
                    "  \(part.axis.rawValue) \(part.axis.text(present.setting)) → \(text): "
                        + (part.gain.map { "× \(number($0)) of it" } ?? "not measured alone"))
            }
            if winner.setting.precision != present.setting.precision {
                sentences.append("  Another precision changes results a little: compare them before it is used.")
            }
        } else {
            sentences.append("Nothing that was tried is surely better than what is there: it stays.")
        }
        if let limit = objective.limit, !objective.keeps(winner?.figures ?? present.figures) {
            sentences.append("Nothing that was tried keeps p99 within \(number(limit / 1e6)) ms (marked !).")
        }
        sentences.append(
            "\(tried) of \(size) settings were measured, each in turns with the present one"
                + (isComplete ? "." : "; the time was over before the search was: a longer --budget may find better."))
        for (setting, reason) in refused.prefix(3) {
            let words = Axis.allCases.map { "\($0.rawValue) \($0.text(setting))" }.joined(separator: ", ")
            sentences.append("Not possible: \(words): \(reason)")
        }
        return sentences
    }
}
