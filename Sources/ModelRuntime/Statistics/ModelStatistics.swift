public import Scheduling

/// What has happened to the requests of one model version since it was loaded. Times are nanoseconds of a monotonic
/// clock.
///
/// ``executionCount`` is the sum of the `computeInfer.count` of ``batches``, and ``inferenceCount`` that of batch size
/// × count, less the rows of a model with sequences (strategy "direct") that were executed without a request.
public struct ModelStatistics: Hashable, Sendable {
    /// The model's name.
    public var name: String
    /// The version's number.
    public var version: Int64
    /// Labels for the metrics (`metric_tags`).
    public var tags: [String: String] = [:]
    /// When the last inference ended, in milliseconds since 1970; 0 for never.
    public var lastInference: UInt64 = 0
    /// Items inferred: a request that brings a batch of n counts n times.
    public var inferenceCount: UInt64 = 0
    /// Batches executed.
    public var executionCount: UInt64 = 0
    /// Requests that got their response, from arrival to response.
    public var success = DurationStatistic()
    /// Requests that got an error, from arrival to error.
    public var fail = DurationStatistic()
    /// The requests of ``fail`` by reason; one that is missing did not occur.
    public var failures: [FailureReason: UInt64] = [:]
    /// The requests that failed as ``FailureReason/rejected``, by what they were rejected for.
    public var rejections: [RejectionReason: UInt64] = [:]
    /// Successful requests: from arrival to the beginning of their execution.
    public var queue = DurationStatistic()
    /// Successful requests: gathering and handing over the inputs of their batch.
    public var computeInput = DurationStatistic()
    /// Successful requests: the execution of their batch by the engine.
    public var computeInfer = DurationStatistic()
    /// Successful requests: taking over the outputs of their batch and handing them out.
    public var computeOutput = DurationStatistic()
    /// The spread of the five times above.
    public var latencies = LatencyHistograms()
    /// Quantiles of them; `nil` where the server was not asked for any.
    public var quantiles: LatencyQuantiles?
    /// Requests that the response cache answered, and the time that took.
    public var cacheHit = DurationStatistic()
    /// Requests that it could not answer, and the time that looking and storing took.
    public var cacheMiss = DurationStatistic()
    /// Of a decoupled model: its requests' first responses, their second ones, and so on.
    public var responses: [ResponseStatistics] = []
    /// Ascending by batch size.
    public var batches: [BatchStatistics] = []
    /// How often each reason closed a batch that was executed.
    public var batchReasons: [BatchReason: UInt64] = [:]

    /// Statistics of a version that has done nothing yet.
    public init(name: String, version: Int64) {
        self.name = name
        self.version = version
    }

    /// The sizes of the batches executed, in rows; its count is ``executionCount``.
    public var batchSizes: HistogramStatistic {
        var histogram = HistogramStatistic(bounds: HistogramStatistic.batchSizeBounds)
        for batch in batches { histogram.record(UInt64(clamping: batch.batchSize), times: batch.computeInfer.count) }
        return histogram
    }

    /// The largest batch executed; 0 for none.
    public var largestBatch: Int { batches.last?.batchSize ?? 0 }
}

/// The executions of one batch size. Each counts once, however many requests were in it.
public struct BatchStatistics: Hashable, Sendable {
    /// Rows that the model ran on, those without a request (sequences, strategy "direct") included.
    public var batchSize: Int
    /// Making the inputs ready.
    public var computeInput = DurationStatistic()
    /// The model itself.
    public var computeInfer = DurationStatistic()
    /// Taking the outputs apart.
    public var computeOutput = DurationStatistic()
    /// The time that the batches' requests spent waiting; counts requests, not executions. Not in Triton.
    public var queue = DurationStatistic()

    /// Statistics of a batch size that has not been executed yet.
    public init(batchSize: Int) { self.batchSize = batchSize }
}
