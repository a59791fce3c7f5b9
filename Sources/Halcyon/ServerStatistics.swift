package import JSONText
public import ModelRuntime

/// The statistics of some models, as values and in Triton's JSON.
public struct ServerStatistics: Hashable, Sendable {
    /// By name and version.
    public var models: [ModelStatistics]

    /// The statistics of these models.
    public init(models: [ModelStatistics]) { self.models = models }

    /// Triton's statistics document, key for key and in its order.
    public var json: String { jsonValue.compact }

    /// The same, indented for people.
    public var prettyJSON: String { jsonValue.pretty }

    package var jsonValue: JSONValue { ["model_stats": .array(models.map(Self.model))] }

    private static func model(_ statistics: ModelStatistics) -> JSONValue {
        [
            "name": .string(statistics.name),
            "version": .string(String(statistics.version)),
            "last_inference": .count(statistics.lastInference),
            "inference_count": .count(statistics.inferenceCount),
            "execution_count": .count(statistics.executionCount),
            "inference_stats": [
                "success": duration(statistics.success),
                "fail": duration(statistics.fail),
                "queue": duration(statistics.queue),
                "compute_input": duration(statistics.computeInput),
                "compute_infer": duration(statistics.computeInfer),
                "compute_output": duration(statistics.computeOutput),
                "cache_hit": duration(statistics.cacheHit),
                "cache_miss": duration(statistics.cacheMiss),
            ],
            "response_stats": .object(
                statistics.responses.enumerated().map { .init(String($0.offset), response($0.element)) }),
            "batch_stats": .array(statistics.batches.map(batch)),
            "memory_usage": .array([]),
        ]
    }

    private static func response(_ statistics: ResponseStatistics) -> JSONValue {
        [
            "compute_infer": duration(statistics.computeInfer), "compute_output": duration(DurationStatistic()),
            "success": duration(statistics.success), "fail": duration(statistics.fail),
            "empty_response": duration(statistics.empty), "cancel": duration(DurationStatistic()),
        ]
    }

    private static func batch(_ statistics: BatchStatistics) -> JSONValue {
        [
            "batch_size": .integer(Int64(statistics.batchSize)),
            "compute_input": duration(statistics.computeInput),
            "compute_infer": duration(statistics.computeInfer),
            "compute_output": duration(statistics.computeOutput),
        ]
    }

    private static func duration(_ statistic: DurationStatistic) -> JSONValue {
        ["count": .count(statistic.count), "ns": .count(statistic.nanoseconds)]
    }
}
