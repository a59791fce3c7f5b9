extension BenchReport {
    /// As a page with curves.
    package var html: String {
        var page = ReportPage(title: "halcyon bench: \(model)")
        page.paragraph(headline)
        page.heading("Throughput against latency")
        let percents = [50.0, 99]
        page.chart(
            SVGChart.curves(
                percents.map { percent in
                    SVGChart.Series(
                        name: "p\(Int(percent))",
                        points: results.map { result in
                            SVGChart.Series.Point(
                                x: result.inferencesPerSecond, y: Double(result.latency.percentile(percent)) / 1e6,
                                tag: result.load.label,
                                label: "\(result.load.kind) \(result.load.label): "
                                    + "\(Figures.short(result.inferencesPerSecond)) a second, "
                                    + "\(Figures.milliseconds(Double(result.latency.percentile(percent)))) ms"
                            )
                        })
                }, x: "inferences a second", y: "latency in ms"))
        let stages = results.map { (label: $0.load.label, stages: $0.stages) }.filter { !$0.stages.isEmpty }
        if let first = stages.first {
            page.heading("Where the time of a request goes")
            page.chart(
                SVGChart.bars(
                    stages.map { (label: $0.label, parts: $0.stages.map { $0.nanoseconds / 1e6 }) },
                    parts: first.stages.map(\.name), x: "mean time in ms, by \(results.first?.load.kind ?? "load")"))
        }
        page.heading("Figures")
        let columns = Column.all(self)
        page.table(
            [
                [results.first?.load.kind ?? "load"]
                    + columns.map { $0.unit.isEmpty ? $0.title : "\($0.title) (\($0.unit))" }
            ]
                + results.map { result in
                    [result.label] + columns.map { column in column.value(result).map(column.format) ?? "-" }
                })
        for note in notes { page.paragraph(note) }
        return page.html
    }
}
