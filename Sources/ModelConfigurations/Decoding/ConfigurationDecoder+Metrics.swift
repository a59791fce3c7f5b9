extension ConfigurationDecoder {
    /// The family whose buckets a model may choose, as in Triton.
    static let bucketedFamily = "nv_inference_first_response_histogram_ms"

    mutating func firstResponseBuckets(_ message: ConfigurationMessage) -> [Double]? {
        var buckets: [Double]?
        let controls = message.message("model_metrics")?.nodes("metric_control") ?? []
        for (index, node) in controls.enumerated() {
            guard case .message(let control) = node.value else { continue }
            let path = "model_metrics.metric_control[\(index)]"
            if let missing = Self.missing(control) {
                diagnostics.error("\(missing) for \(modelName)", at: control.position, path)
                continue
            }
            let family = control.message("metric_identifier")?.string("family") ?? ""
            guard family == Self.bucketedFamily else {
                diagnostics.error(
                    "model metrics can be set for the family \(Self.bucketedFamily) only for \(modelName), got "
                        + "'\(family)'",
                    at: control.position(of: "metric_identifier"), "\(path).metric_identifier.family")
                continue
            }
            guard let options = control.message("histogram_options") else { continue }
            let bounds = options.nodes("buckets").map { node -> Double in
                if case .number(let number) = node.value { number } else { 0 }
            }
            if let complaint = Self.complaint(of: bounds) {
                diagnostics.error(
                    "the buckets of a histogram are numbers of milliseconds, ascending, for \(modelName): \(complaint)",
                    at: options.position(of: "buckets"), "\(path).histogram_options.buckets")
            } else {
                buckets = bounds
            }
        }
        return buckets
    }

    /// What a control of metrics lacks, in Triton's words.
    private static func missing(_ control: ConfigurationMessage) -> String? {
        guard let identifier = control.message("metric_identifier") else {
            return "metric control must specify 'metric_identifier'"
        }
        if identifier.string("family").isEmpty { return "metric identifier must specify non-empty 'family'" }
        guard let options = control.message("histogram_options") else {
            return "metric control must specify 'histogram_options'"
        }
        return options.nodes("buckets").isEmpty ? "histogram options must specify non-empty 'buckets'" : nil
    }

    private static let maximumBucketCount = 1000

    /// What is wrong with the upper bounds of buckets; `nil` for nothing.
    private static func complaint(of bounds: [Double]) -> String? {
        if bounds.isEmpty { return "there are none" }
        if bounds.count > maximumBucketCount { return "there are \(bounds.count), and may be \(maximumBucketCount)" }
        if let bound = bounds.first(where: { !$0.isFinite }) { return "\(bound) is not a finite number" }
        guard let (before, next) = zip(bounds, bounds.dropFirst()).first(where: { $0 >= $1 }) else { return nil }
        return "\(next) comes behind \(before)"
    }
}
