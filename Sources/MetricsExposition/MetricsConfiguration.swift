public import Tensors

/// Which metrics are shown, by the names of the reference's `--metrics-config` settings.
public struct MetricsConfiguration: Hashable, Sendable {
    private enum Setting: String, CaseIterable {
        case counterLatencies = "counter_latencies"
        case histogramLatencies = "histogram_latencies"
        case summaryLatencies = "summary_latencies"
        case summaryQuantiles = "summary_quantiles"
    }

    /// Whether there are the counters `nv_inference_*_duration_us`.
    public var counterLatencies = true
    /// Whether there is the reference's histogram `nv_inference_first_response_histogram_ms`. Halcyon's own histograms
    /// are always there.
    public var histogramLatencies = false

    public init() {}

    /// - Parameter settings: each `<setting>=<value>`, as `--metrics-config` takes them: `counter_latencies` and
    ///   `histogram_latencies`, each `true` or `false`. Of a setting that is given twice, the last counts.
    /// - Throws: `invalidArgument` that names the setting and what is allowed; for the reference's summaries, what to
    ///   use instead.
    public init(settings: [String]) throws(HalcyonError) {
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
        case .summaryLatencies: if try Self.boolean(value, of: name) { throw Self.noSummaries(name) }
        case .summaryQuantiles: throw Self.noSummaries(name)
        case nil: throw HalcyonError(.invalidArgument, "there is no metrics setting '\(name)'; \(Self.allowed)")
        }
    }

    private static let allowed =
        "the settings are '\(Setting.counterLatencies.rawValue)' and '\(Setting.histogramLatencies.rawValue)', "
        + "each 'true' or 'false'"

    private static func boolean(_ value: String, of name: String) throws(HalcyonError) -> Bool {
        switch value {
        case "true": return true
        case "false": return false
        default:
            throw HalcyonError(
                .invalidArgument, "metrics setting '\(name)' is '\(value)', expected 'true' or 'false'")
        }
    }

    /// Quantiles of one server can't be put together with those of another; buckets can be added up.
    private static func noSummaries(_ name: String) -> HalcyonError {
        HalcyonError(
            .invalidArgument,
            "metrics setting '\(name)': summaries are not supported; "
                + "use histograms, '\(Setting.histogramLatencies.rawValue)=true', and compute quantiles from them")
    }
}
