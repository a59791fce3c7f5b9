/// The quantiles of the latencies of the requests of about the last minute.
public struct LatencyQuantiles: Hashable, Sendable {
    /// What a latency is of.
    public enum Stage: Hashable, Sendable, CaseIterable {
        /// From arrival to response.
        case request
        /// From arrival to the beginning of the execution.
        case queue
        /// Making the inputs ready.
        case computeInput
        /// The model's own part.
        case computeInfer
        /// Taking the outputs apart.
        case computeOutput
        /// Finding an answer in the cache.
        case cacheHit
        /// Looking for one in vain, and keeping it.
        case cacheMiss
    }

    /// Each from 0 to 1.
    public let quantiles: [Double]
    /// For each of the quantiles, microseconds; `nil` where there was no such request.
    package let values: [Stage: [UInt64?]]

    package init(quantiles: [Double], values: [Stage: [UInt64?]]) {
        self.quantiles = quantiles
        self.values = values
    }

    /// The latency of a stage for each of ``quantiles``, in whole microseconds; `nil` where there was no such request.
    public subscript(stage: Stage) -> [Duration?] {
        (values[stage] ?? quantiles.map { _ in nil }).map { $0.map { .microseconds(Int64(clamping: $0)) } }
    }
}
