extension ConfigurationDecoder {
    /// The family whose buckets a model may choose, as in the reference.
    static let bucketedFamily = "nv_inference_first_response_histogram_ms"

    mutating func firstResponseBuckets(_ message: ConfigurationMessage) -> [Double]? {
        var buckets: [Double]?
        let controls = message.message("model_metrics")?.nodes("metric_control") ?? []
        for (index, node) in controls.enumerated() {
            guard case .message(let control) = node.value else { continue }
            let path = "model_metrics.metric_control[\(index)]"
            let family = control.message("metric_identifier")?.string("family") ?? ""
            guard family == Self.bucketedFamily else {
                diagnostics.error(
                    "model metrics can be set for the family \(Self.bucketedFamily) only for \(modelName), got '\(family)'",
                    at: control.position(of: "metric_identifier"), "\(path).metric_identifier.family")
                continue
            }
            guard let options = control.message("histogram_options") else { continue }
            let bounds = options.nodes("buckets").map { node -> Double in
                if case .number(let number) = node.value { number } else { 0 }
            }
            // Milliseconds, kept as whole nanoseconds.
            let isAscending = zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }
            if !bounds.isEmpty, isAscending, bounds.allSatisfy({ $0 >= 0.000_001 && $0 <= 1e9 }) {
                buckets = bounds
            } else {
                diagnostics.error(
                    "the buckets of a histogram are milliseconds from 0.000001 to 1e9, ascending, for \(modelName)",
                    at: options.position(of: "buckets"), "\(path).histogram_options.buckets")
            }
        }
        return buckets
    }
}
