internal import ConfigurationSearch
internal import LoadGeneration

/// What `halcyon tune` has found, as a page.
enum TunePage {
    static func html(_ result: TuneReport, _ headline: String, _ difference: [String]) -> String {
        var page = ReportPage(title: "halcyon tune: \(result.model)")
        page.paragraph(headline)
        let entries = result.finalists + [result.present]
        page.heading("Throughput against latency")
        page.chart(
            SVGChart.curves(
                [
                    SVGChart.Series(
                        name: "settings",
                        points: entries.enumerated().map { index, entry in
                            SVGChart.Series.Point(
                                x: entry.figures.throughput, y: entry.figures.p99 / 1e6,
                                tag: index == result.finalists.count ? "present" : String(index + 1),
                                label: Axis.allCases.map { "\($0.rawValue) \($0.text(entry.setting))" }
                                    .joined(separator: ", "))
                        })
                ], x: "inferences a second", y: "p99 in ms", isOrdered: false))
        page.heading("Ranking")
        page.table(result.rows(Figures.short))
        for sentence in result.sentences(Figures.short) { page.paragraph(sentence) }
        if !difference.isEmpty {
            page.heading("config.pbtxt")
            page.preformatted(difference.joined(separator: "\n"))
        }
        return page.html
    }

    static func html(_ rows: [GridRow], model: String, requests: Int) -> String {
        var page = ReportPage(title: "halcyon tune: \(model)")
        page.paragraph("\(requests) requests at once, median of \(GridRow.rounds) times; times in ms")
        page.heading("Where the time of a request goes")
        page.chart(
            SVGChart.bars(
                rows.map { row in
                    (
                        label: "\(row.setting.instances) \(row.setting.batches ? "batch" : "single")",
                        parts: [row.queue / 1e6, row.compute / 1e6]
                    )
                }, parts: ["queue", "compute"], x: "mean time in ms, by instances, without and with batches"))
        page.table([GridRow.titles] + rows.map(\.words))
        return page.html
    }
}
