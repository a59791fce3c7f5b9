/// Tables of what was measured: of one case by batch size, and of all side by side, so that the effect of a line of
/// configuration is seen at a glance.
enum CaseTable {
    /// One case: a row for each batch size, and one for all.
    static func text(_ figures: CaseFigures) -> String {
        let header = ["batch size", "executions", "queue", "compute input", "infer", "output"]
        let rows = figures.batches.map { batch in
            ["\(batch.size)", "\(batch.executions)"]
                + [batch.queue, batch.computeInput, batch.computeInfer, batch.computeOutput].map(Self.ms)
        }
        let all =
            ["a request", "\(figures.executions)"]
            + [figures.queue, figures.computeInput, figures.computeInfer, figures.computeOutput].map(Self.ms)
        return ([title(figures)] + lines([header] + rows + [all]).map { "  \($0)" }).joined(separator: "\n")
    }

    private static func title(_ figures: CaseFigures) -> String {
        let setup = figures.setup
        let instances = setup.instances == 1 ? "1 instance" : "\(setup.instances) instances"
        let batches = setup.usesBatches ? "batches of up to \(setup.maxBatchSize)" : "no batches"
        return "\(figures.repository): \(instances), \(batches)\(figures.isInt8 ? ", INT8" : ""): "
            + "\(figures.work.requests) requests in \(figures.total.formatted(digits: 0)) ms"
    }

    /// All cases, a row each.
    static func text(_ cases: [CaseFigures]) -> String {
        let header = [
            "case", "total ms", "executions", "largest batch", "queue", "compute input", "infer", "output",
            "queue by batch size", "batches closed by",
        ]
        let rows = cases.map { figures in
            [
                figures.repository, figures.total.formatted(digits: 0), "\(figures.executions)",
                "\(figures.largestBatch)", ms(figures.queue), ms(figures.computeInput), ms(figures.computeInfer),
                ms(figures.computeOutput),
                figures.batches.map { "\($0.size): \(ms($0.queue))" }.joined(separator: ", "),
                figures.reasons.joined(separator: ", "),
            ]
        }
        return
            (lines([header] + rows, endsInText: true)
            + ["Times of queue, compute input, infer and output are means a request, in ms."]).joined(separator: "\n")
    }

    /// The first column to the left, the others to the right.
    ///
    /// - Parameter endsInText: whether the last column is words, which begin where they are.
    private static func lines(_ rows: [[String]], endsInText: Bool = false) -> [String] {
        let columns = rows.first?.indices ?? 0..<0
        let widths = columns.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { column in
                if endsInText, column == row.count - 1 { return row[column] }
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + padding : padding + row[column]
            }.joined(separator: "  ")
        }
    }

    private static func ms(_ value: Double) -> String { value.formatted(digits: 2) }
}
