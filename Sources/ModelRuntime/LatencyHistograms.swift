/// How the times of the successful requests of a model version were spread, in nanoseconds.
///
/// Each counts every request once, with the time of its whole batch where the time is the batch's; so counts and sums
/// are those of the ``DurationStatistic`` of the same stage.
public struct LatencyHistograms: Hashable, Sendable {
    /// From arrival to response.
    public var request = Histogram(bounds: Histogram.durationBounds)
    /// The same in the buckets of the reference's `nv_inference_first_response_histogram_ms`, or in those that the model's
    /// configuration has for it (`model_metrics`).
    public var firstResponse: Histogram
    /// The upper bounds of ``firstResponse`` as they were configured, in milliseconds. Those below 0, which come first,
    /// hold nothing and are not among the histogram's own.
    public let firstResponseBounds: [Double]
    /// From arrival to the beginning of the execution.
    public var queue = Histogram(bounds: Histogram.durationBounds)
    public var computeInput = Histogram(bounds: Histogram.durationBounds)
    public var computeInfer = Histogram(bounds: Histogram.durationBounds)
    public var computeOutput = Histogram(bounds: Histogram.durationBounds)

    /// - Parameter firstResponseBounds: milliseconds, ascending and finite.
    public init(firstResponseBounds: [Double] = Histogram.firstResponseBounds) {
        self.firstResponseBounds = firstResponseBounds
        // A whole number of nanoseconds is at most a bound if it is at most the whole part of it.
        let bounds = firstResponseBounds.filter { $0 >= 0 }.map { bound in
            UInt64(exactly: (bound * 1_000_000).rounded(.down)) ?? .max
        }
        firstResponse = Histogram(bounds: bounds)
    }
}
