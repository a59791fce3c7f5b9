internal import TritonInterface

/// Metrics that backends and models make themselves.
extension MetricsPage {
    mutating func write(_ family: CustomMetrics.Family) {
        let kind: MetricFamily.Kind =
            switch family.kind {
            case .counter: .counter
            case .gauge: .gauge
            case .histogram: .histogram
            }
        heading(MetricFamily(kind, family.name, Self.help(family.help)))
        for metric in family.samples {
            let labels = metric.labels.map { "\($0.name)=\"\(MetricLabels.escaped($0.value))\"" }
            guard family.kind == .histogram else {
                sample(family.name, Self.text(labels), metric.value)
                continue
            }
            let bounds = metric.bounds.map(Self.number) + ["+Inf"]
            for (bound, count) in zip(bounds, metric.counts) {
                sample("\(family.name)_bucket", Self.text(labels + ["le=\"\(bound)\""]), count)
            }
            sample("\(family.name)_sum", Self.text(labels), metric.value)
            sample("\(family.name)_count", Self.text(labels), metric.counts.last ?? 0)
        }
    }

    private static func text(_ labels: [String]) -> String {
        labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}"
    }

    /// A help text as the format wants it in a line.
    private static func help(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
