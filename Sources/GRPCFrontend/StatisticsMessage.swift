internal import Halcyon
internal import KServeMessages
internal import SwiftProtobuf

/// Statistics as a message.
enum StatisticsMessage {
    static func make(_ statistics: ServerStatistics) -> Inference_ModelStatisticsResponse {
        .with { $0.modelStats = statistics.models.map(model) }
    }

    private static func model(_ statistics: ModelStatistics) -> Inference_ModelStatistics {
        .with {
            $0.name = statistics.name
            $0.version = String(statistics.version)
            $0.lastInference = statistics.lastInference
            $0.inferenceCount = statistics.inferenceCount
            $0.executionCount = statistics.executionCount
            $0.inferenceStats = .with {
                $0.success = duration(statistics.success)
                $0.fail = duration(statistics.fail)
                $0.queue = duration(statistics.queue)
                $0.computeInput = duration(statistics.computeInput)
                $0.computeInfer = duration(statistics.computeInfer)
                $0.computeOutput = duration(statistics.computeOutput)
                $0.cacheHit = duration(statistics.cacheHit)
                $0.cacheMiss = duration(statistics.cacheMiss)
            }
            for (index, response) in statistics.responses.enumerated() {
                $0.responseStats[String(index)] = .with {
                    $0.computeInfer = duration(response.computeInfer)
                    $0.computeOutput = duration(DurationStatistic())
                    $0.success = duration(response.success)
                    $0.fail = duration(response.fail)
                    $0.emptyResponse = duration(response.empty)
                    $0.cancel = duration(DurationStatistic())
                }
            }
            $0.batchStats = statistics.batches.map { batch in
                .with {
                    $0.batchSize = UInt64(batch.batchSize)
                    $0.computeInput = duration(batch.computeInput)
                    $0.computeInfer = duration(batch.computeInfer)
                    $0.computeOutput = duration(batch.computeOutput)
                }
            }
        }
    }

    private static func duration(_ statistic: DurationStatistic) -> Inference_StatisticDuration {
        .with {
            $0.count = statistic.count
            $0.ns = statistic.nanoseconds
        }
    }
}
