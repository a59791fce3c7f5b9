internal import FlightRecords
package import Halcyon
package import JSONText
internal import ModelRepository
internal import ModelRuntime
internal import Scheduling
package import Tensors

/// What the page shows of the models at one moment.
package struct LiveFigures {
    /// The requests that quantiles speak of came to an end so many nanoseconds ago at most.
    private static let span: UInt64 = 10_000_000_000

    private let server: InferenceServer

    package init(_ server: InferenceServer) { self.server = server }

    /// A model whose batches are wanted too.
    package struct Watched: Hashable, Sendable {
        package var model: String
        package var version: Int64?
        /// Of the last batch that was seen; `nil` before the first moment.
        package var number: UInt64?

        package init(model: String, version: Int64?) {
            self.model = model
            self.version = version
        }
    }

    /// Batches of a model that the first moment shows.
    private static let beginning = 200

    /// - Parameter watched: gets the number of the last batch that was seen.
    /// - Throws: `notFound` or `unavailable` where the watched model is not served.
    package func document(_ watched: inout Watched?) throws(HalcyonError) -> JSONValue {
        let live = server.liveModels()
        var members: [JSONValue.Member] = [
            .init("now_ns", .count(server.nanoseconds)), .init("models", .array(live.map(Self.figures))),
        ]
        guard var model = watched else { return .object(members) }
        let version = try server.modelVersion(model.model, version: model.version)
        let keeps = live.contains {
            $0.statistics.name == model.model && $0.statistics.version == version && $0.keepsBatches
        }
        guard keeps else { return .object(members) }
        var recording = try server.batches(model.model, version: model.version, after: model.number ?? 0)
        // A model loaded anew counts from 1 again.
        if recording.count < model.number ?? 0 {
            recording = try server.batches(model.model, version: model.version)
        } else if model.number == nil {
            recording.batches = Array(recording.batches.suffix(Self.beginning))
        }
        model.number = recording.count
        watched = model
        members.append(.init("recording", recording.jsonValue))
        return .object(members)
    }

    private static func figures(_ model: InferenceServer.LiveModel) -> JSONValue {
        let statistics = model.statistics
        let quantiles = quantiles(model.batches, now: model.now)
        return [
            "name": .string(statistics.name), "version": .string(String(statistics.version)),
            "steps": .array(model.steps.map { .string($0) }), "keeps": .bool(model.keepsBatches),
            "requests": .count(statistics.success.count), "failures": .count(statistics.fail.count),
            "inferences": .count(statistics.inferenceCount), "executions": .count(statistics.executionCount),
            "waiting": .integer(Int64(model.gauges.pendingRequests)),
            "busy": .integer(Int64(model.gauges.busyInstances)),
            "instances": .integer(Int64(model.gauges.instances)),
            "p50": quantiles.map { .number($0.median) } ?? .null, "p99": quantiles.map { .number($0.p99) } ?? .null,
            "sizes": .array(
                statistics.batches.map { [.integer(Int64($0.batchSize)), .count($0.computeInfer.count)] }),
            "reasons": .array(
                BatchReason.allCases.compactMap { reason in
                    statistics.batchReasons[reason].map { [.string(reason.rawValue), .count($0)] }
                }),
        ]
    }

    /// Of the latencies of the last seconds, in microseconds; `nil` where there are none.
    private static func quantiles(_ batches: [RecordedBatch], now: UInt64) -> (median: Double, p99: Double)? {
        let start = now > span ? now - span : 0
        let latencies = batches.filter { $0.end >= start }.flatMap { batch in
            batch.requests.map { batch.end > $0.arrival ? batch.end - $0.arrival : 0 }
        }.sorted()
        guard !latencies.isEmpty else { return nil }
        let value = { (rank: Int) in Double(latencies[min(rank, latencies.count - 1)]) / 1000 }
        return (value((latencies.count - 1) / 2), value(latencies.count * 99 / 100))
    }
}
