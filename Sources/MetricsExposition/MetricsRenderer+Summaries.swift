internal import ModelRuntime

/// Triton's summaries of latencies.
extension MetricsRenderer {
    /// Quantiles of which each model version has some.
    struct Summary: Sendable {
        let family: MetricFamily
        let stage: LatencyQuantiles.Stage
        /// What the quantiles are of, since the model was loaded.
        let total: @Sendable (ModelStatistics) -> DurationStatistic

        init(
            _ name: String, _ help: String, _ stage: LatencyQuantiles.Stage,
            _ total: @escaping @Sendable (ModelStatistics) -> DurationStatistic
        ) {
            family = MetricFamily(.summary, name, help)
            self.stage = stage
            self.total = total
        }
    }

    /// - Parameter withCache: whether the server keeps answers.
    static func summaries(withCache: Bool) -> [Summary] { withCache ? stageSummaries + cacheSummaries : stageSummaries }

    private static let stageSummaries = [
        Summary(
            "nv_inference_request_summary_us", "Time from arrival to response, in microseconds, of the last minute.",
            .request
        ) { $0.success },
        Summary(
            "nv_inference_queue_summary_us", "Time before requests ran, in microseconds, of the last minute.", .queue
        ) { $0.queue },
        Summary(
            "nv_inference_compute_input_summary_us",
            "Time for handing over inputs, in microseconds, of the last minute.", .computeInput
        ) { $0.computeInput },
        Summary(
            "nv_inference_compute_infer_summary_us",
            "Time in which the engine executed, in microseconds, of the last minute.", .computeInfer
        ) { $0.computeInfer },
        Summary(
            "nv_inference_compute_output_summary_us",
            "Time for taking over outputs, in microseconds, of the last minute.", .computeOutput
        ) { $0.computeOutput },
    ]

    private static let cacheSummaries = [
        Summary(
            "nv_cache_hit_summary_us", "Time for finding answers in the cache, in microseconds, of the last minute.",
            .cacheHit
        ) { $0.cacheHit },
        Summary(
            "nv_cache_miss_summary_us",
            "Time for looking in vain and keeping answers, in microseconds, of the last minute.", .cacheMiss
        ) { $0.cacheMiss },
    ]
}
