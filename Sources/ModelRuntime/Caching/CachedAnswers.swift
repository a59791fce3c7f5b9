internal import ModelConfigurations
internal import Synchronization
internal import Tensors
internal import Threads

/// A model version's way to the response cache.
struct CachedAnswers: Sendable {
    private static let nextModel = Atomic<UInt64>(1)

    private let cache: any AnswerCache
    private let version: CacheKey.Version
    private let model = nextModel.wrappingAdd(1, ordering: .relaxed).oldValue
    private let statistics: StatisticsCollector
    private let clock: any MonotonicClock

    /// `nil` where the configuration does not want answers to be kept, or there is nowhere to keep them.
    init?(_ configuration: ModelConfiguration, _ cache: (any AnswerCache)?, _ completion: Completion) {
        guard configuration.usesResponseCache, let cache else { return nil }
        self.cache = cache
        version = CacheKey.Version(name: completion.name, number: completion.version)
        statistics = completion.statistics
        clock = completion.clock
    }

    /// - Parameters:
    ///   - inputs: valid, in the configuration's order.
    ///   - steps: for an ensemble, the loaded versions that its steps reach, each by a number that no other ever has.
    ///   - handler: what gets the answer where there is none yet; replaced by one that remembers it.
    /// - Returns: the outputs of an equal request.
    func lookUp(
        _ request: InferenceRequest, inputs: [Tensor], steps: [UInt64] = [], arrival: UInt64,
        handler: inout ResponseHandler
    ) -> [Tensor]? {
        // What another process can change while the model runs may not be what the answer is for.
        guard inputs.allSatisfy({ $0.data.placement.isHostAccessible && !$0.data.storage.isShared }) else { return nil }
        let key = CacheKey(
            model: model, version: version, steps: steps, inputs: inputs, outputs: request.requestedOutputs)
        let start = clock.now()
        let outputs = cache.outputs(for: key)
        let looked = clock.now()
        if let outputs {
            statistics.recordCacheHit(duration: looked &- arrival, lookup: looked &- start)
            return outputs
        }
        let next = handler
        handler = { [cache, clock, statistics] result in
            if case .success(let response) = result {
                let before = clock.now()
                cache.insert(response.outputs, for: key)
                statistics.recordCacheMiss(duration: looked &- start &+ clock.now() &- before)
            }
            next(result)
        }
        return nil
    }

    /// The version goes.
    func forget() { cache.removeAll(of: model) }
}
