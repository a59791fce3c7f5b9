/// The quantiles of the latencies of the requests of about the last minute.
public struct LatencyQuantiles: Hashable, Sendable {
    /// What a latency is of.
    public enum Stage: Hashable, Sendable, CaseIterable {
        /// From arrival to response.
        case request
        /// From arrival to the beginning of the execution.
        case queue
        case computeInput
        case computeInfer
        case computeOutput
        /// Finding an answer in the cache.
        case cacheHit
        /// Looking for one in vain, and keeping it.
        case cacheMiss
    }

    /// Each from 0 to 1.
    public let quantiles: [Double]
    /// For each of the quantiles, microseconds; `nil` where there was no such request.
    public let values: [Stage: [UInt64?]]

    package init(quantiles: [Double], values: [Stage: [UInt64?]]) {
        self.quantiles = quantiles
        self.values = values
    }
}
