package import ModelRuntime
package import Tensors

/// Which metrics are shown, by the names of Triton's `--metrics-config` settings.
package struct MetricsConfiguration: Hashable, Sendable {
    private enum Setting: String, CaseIterable {
        case counterLatencies = "counter_latencies"
        case histogramLatencies = "histogram_latencies"
        case summaryLatencies = "summary_latencies"
        case summaryQuantiles = "summary_quantiles"
    }

    /// Whether there are the counters `nv_inference_*_duration_us`.
    package var counterLatencies = true
    /// Whether there is Triton's histogram `nv_inference_first_response_histogram_ms`. Halcyon's own histograms
    /// are always there.
    package var histogramLatencies = false
    /// Whether there are Triton's summaries `nv_inference_*_summary_us`.
    package var summaryLatencies = false
    /// The quantiles that they show.
    package var summaryQuantiles = SummaryQuantile.standard

    package init() {}

    /// - Parameter settings: each `<setting>=<value>`, as `--metrics-config` takes them: `counter_latencies`,
    ///   `histogram_latencies` and `summary_latencies`, each `true` or `false`, and `summary_quantiles`, as
    ///   `0.5:0.05,0.99:0.001`: each a quantile and by how much its rank may be off. Of a setting that is given twice,
    ///   the last counts.
    /// - Throws: `invalidArgument` that names the setting and what is allowed.
    package init(settings: [String]) throws(HalcyonError) {
        for setting in settings { try apply(setting) }
    }

    private mutating func apply(_ text: String) throws(HalcyonError) {
        guard let separator = text.firstIndex(of: "=") else {
            throw HalcyonError(
                .invalidArgument, "metrics setting '\(text)' has no value, expected <setting>=<value>; \(Self.allowed)")
        }
        let name = String(text[..<separator])
        let value = String(text[text.index(after: separator)...])
        switch Setting(rawValue: name) {
        case .counterLatencies: counterLatencies = try Self.boolean(value, of: name)
        case .histogramLatencies: histogramLatencies = try Self.boolean(value, of: name)
        case .summaryLatencies: summaryLatencies = try Self.boolean(value, of: name)
        case .summaryQuantiles: summaryQuantiles = try Self.quantiles(value, of: name)
        case nil: throw HalcyonError(.invalidArgument, "there is no metrics setting '\(name)'; \(Self.allowed)")
        }
    }

    private static let allowed =
        "the settings are '\(Setting.counterLatencies.rawValue)', '\(Setting.histogramLatencies.rawValue)' and "
        + "'\(Setting.summaryLatencies.rawValue)', each 'true' or 'false', and '\(Setting.summaryQuantiles.rawValue)'"

    private static func boolean(_ value: String, of name: String) throws(HalcyonError) -> Bool {
        switch value {
        case "true": return true
        case "false": return false
        default:
            throw HalcyonError(
                .invalidArgument, "metrics setting '\(name)' is '\(value)', expected 'true' or 'false'")
        }
    }

    /// Quantiles that are shown at most: each costs memory and time for every model.
    private static let maximumQuantileCount = 32

    private static func quantiles(_ value: String, of name: String) throws(HalcyonError) -> [SummaryQuantile] {
        var quantiles: [SummaryQuantile] = []
        for pair in value.split(separator: ",", omittingEmptySubsequences: false) {
            let numbers = pair.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
            guard numbers.count == 2, let quantile = numbers[0], let error = numbers[1], (0...1).contains(quantile),
                (0.0001...1).contains(error)
            else {
                throw HalcyonError(
                    .invalidArgument,
                    "metrics setting '\(name)' has '\(pair)', expected <quantile>:<error> with a quantile from 0 to "
                        + "1 and an error from 0.0001 to 1, as in 0.5:0.05,0.99:0.001")
            }
            quantiles.append(SummaryQuantile(quantile, error: error))
        }
        guard quantiles.count <= maximumQuantileCount else {
            throw HalcyonError(
                .invalidArgument,
                "metrics setting '\(name)' has \(quantiles.count) quantiles, and may have \(maximumQuantileCount)")
        }
        return quantiles
    }
}
