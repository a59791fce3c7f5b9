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

    /// - Parameter unit: how many of the histogram's own unit make one of the family's.
    mutating func samples(of family: MetricFamily, _ labels: MetricLabels, _ histogram: Histogram, unit: Double) {
        let count = histogram.count
        for (bound, cumulative) in zip(histogram.bounds, histogram.cumulativeCounts) {
            sample("\(family.name)_bucket", labels.text(bound: Self.number(Double(bound) / unit)), cumulative)
        }
        sample("\(family.name)_bucket", labels.text(bound: "+Inf"), count)
        sample("\(family.name)_sum", labels.text(), Double(histogram.sum) / unit)
        sample("\(family.name)_count", labels.text(), count)
    }

    /// A whole number without the fraction that Swift would write.
    static func number(_ value: Double) -> String {
        value.magnitude < 1e15 ? Int64(exactly: value).map { String($0) } ?? value.description : value.description
    }
}
