internal import ModelRuntime

/// A page in Prometheus' text format, version 0.0.4, as it grows. The samples of a family follow its heading.
struct MetricsPage {
    private(set) var text = ""

    mutating func heading(_ family: MetricFamily) {
        text += "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.kind.rawValue)\n"
    }

    mutating func sample(_ name: String, _ labels: String = "", _ value: UInt64) {
        text += "\(name)\(labels) \(value)\n"
    }

    mutating func sample(_ name: String, _ labels: String = "", _ value: Double) {
        text += "\(name)\(labels) \(Self.number(value))\n"
    }

    /// - Parameters:
    ///   - unit: how many of the histogram's own unit make one of the family's.
    ///   - bounds: the family's, where they are not the histogram's; those that it has more come first and hold
    ///     nothing.
    mutating func samples(
        of family: MetricFamily, _ labels: MetricLabels, _ histogram: HistogramStatistic, unit: Double,
        bounds: [Double]? = nil
    ) {
        let count = histogram.count
        let bounds = bounds ?? histogram.bounds.map { Double($0) / unit }
        let empty = [UInt64](repeating: 0, count: max(0, bounds.count - histogram.bounds.count))
        for (bound, cumulative) in zip(bounds, empty + histogram.cumulativeCounts) {
            sample("\(family.name)_bucket", labels.text(bound: Self.number(bound)), cumulative)
        }
        sample("\(family.name)_bucket", labels.text(bound: "+Inf"), count)
        sample("\(family.name)_sum", labels.text(), Double(histogram.sum) / unit)
        sample("\(family.name)_count", labels.text(), count)
    }

    mutating func samples(
        of family: MetricFamily, _ labels: MetricLabels, _ total: DurationStatistic, _ quantiles: [Double],
        _ values: [UInt64?]
    ) {
        sample("\(family.name)_count", labels.text(), total.count)
        sample("\(family.name)_sum", labels.text(), total.nanoseconds / 1000)
        for (quantile, value) in zip(quantiles, values) {
            let labels = labels.text(quantile: Self.number(quantile))
            text += "\(family.name)\(labels) \(value.map { String($0) } ?? "NaN")\n"
        }
    }

    /// A whole number without the fraction that Swift would write.
    static func number(_ value: Double) -> String {
        value.magnitude < 1e15 ? Int64(exactly: value).map { String($0) } ?? value.description : value.description
    }
}
