/// How the times of the successful requests of a model version were spread, in nanoseconds.
///
/// Each counts every request once, with the time of its whole batch where the time is the batch's; so counts and sums
/// are those of the ``DurationStatistic`` of the same stage.
public struct LatencyHistograms: Hashable, Sendable {
    /// From arrival to response.
    public var request = HistogramStatistic(bounds: HistogramStatistic.durationBounds)
    /// The same in the buckets of Triton's `nv_inference_first_response_histogram_ms`, or in those that the model's
    /// configuration has for it (`model_metrics`).
    public var firstResponse: HistogramStatistic
    /// The upper bounds of ``firstResponse`` as they were configured, in milliseconds. Those below 0, which come first,
    /// hold nothing and are not among the histogram's own.
    public let firstResponseBounds: [Double]
    /// From arrival to the beginning of the execution.
    public var queue = HistogramStatistic(bounds: HistogramStatistic.durationBounds)
    /// Making the inputs of an execution ready.
    public var computeInput = HistogramStatistic(bounds: HistogramStatistic.durationBounds)
    /// The model's own part of an execution.
    public var computeInfer = HistogramStatistic(bounds: HistogramStatistic.durationBounds)
    /// Taking the outputs of an execution apart.
    public var computeOutput = HistogramStatistic(bounds: HistogramStatistic.durationBounds)

    /// - Parameter firstResponseBounds: milliseconds, ascending and finite.
    public init(firstResponseBounds: [Double] = HistogramStatistic.firstResponseBounds) {
        self.firstResponseBounds = firstResponseBounds
        // A whole number of nanoseconds is at most a bound if it is at most the whole part of it.
        let bounds = firstResponseBounds.filter { $0 >= 0 }.map { bound in
            UInt64(exactly: (bound * 1_000_000).rounded(.down)) ?? .max
        }
        firstResponse = HistogramStatistic(bounds: bounds)
    }
}
