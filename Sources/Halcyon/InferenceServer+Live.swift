package import FlightRecords
internal import ModelRepository
package import ModelRuntime
internal import Threads

extension InferenceServer {
    /// A served version of a model at one moment.
    package struct LiveModel: Sendable {
        package var statistics: ModelStatistics
        package var gauges: ModelGauges
        /// The models of an ensemble's steps.
        package var steps: [String]
        /// Whether its batches are kept.
        package var keepsBatches: Bool
        package var batches: [RecordedBatch]
        /// When that was, in nanoseconds of the server's clock.
        package var now: UInt64
    }

    /// The clock's time, which the times of batches are of.
    package var nanoseconds: UInt64 { lifetime.clock.now() }

    /// Every served version of every model, by name and version.
    package func liveModels() -> [LiveModel] {
        manager.servedModels().map { model in
            let kept = model.executor.statistics.lastBatches()
            return LiveModel(
                statistics: model.executor.statistics.snapshot(), gauges: model.gauges,
                steps: model.executor.configuration.ensemble?.steps.map(\.modelName) ?? [],
                keepsBatches: kept != nil, batches: kept?.batches ?? [], now: lifetime.clock.now())
        }
    }
}
