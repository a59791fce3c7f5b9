package import ModelConfiguration

/// What a model's configuration says of its queue and its batches, in the units that the scheduler works in.
package struct SchedulingOptions: Hashable, Sendable {
    /// The waiting rules of one priority level.
    package struct LevelPolicy: Hashable, Sendable {
        package var timeoutAction: QueuePolicy.TimeoutAction
        /// Nanoseconds; 0 for none.
        package var defaultTimeout: UInt64
        package var allowTimeoutOverride: Bool
        /// Requests; 0 for no limit.
        package var maxQueueSize: Int

        package init(_ policy: QueuePolicy) {
            timeoutAction = policy.timeoutAction
            defaultTimeout = Self.nanoseconds(policy.defaultTimeoutMicroseconds)
            allowTimeoutOverride = policy.allowTimeoutOverride
            maxQueueSize = policy.maxQueueSize
        }

        /// The time that a request may wait, in nanoseconds, when it asked for `requested`; 0 for as long as it takes.
        /// An override may shorten the default, never stretch it.
        package func timeout(requested: UInt64) -> UInt64 {
            guard allowTimeoutOverride, requested != 0 else { return defaultTimeout }
            return defaultTimeout == 0 ? requested : min(requested, defaultTimeout)
        }

        /// Microseconds as nanoseconds; what does not fit is as good as for ever.
        package static func nanoseconds(_ microseconds: UInt64) -> UInt64 {
            let (product, overflow) = microseconds.multipliedReportingOverflow(by: 1000)
            return overflow ? UInt64.max : product
        }
    }

    /// Items in the largest batch; at least 1.
    package var maxBatchSize: Int
    /// Whether requests may be combined.
    package var combinesRequests: Bool
    /// The sizes a batch should have; read only where requests are combined. Few, so a list is the fastest set.
    package var preferredBatchSizes: [Int] {
        didSet { largestPreferredBatchSize = preferredBatchSizes.max() ?? maxBatchSize }
    }
    package private(set) var largestPreferredBatchSize: Int
    /// Nanoseconds that a request may be held back for others to join it.
    package var maxQueueDelay: UInt64
    package var preserveOrdering: Bool
    package var eagerBatching: Bool
    /// The level of a request that names none, from 0.
    package var defaultLevel: Int
    /// One policy a priority level, most urgent first; never empty.
    package var levels: [LevelPolicy]

    package init(_ configuration: ModelConfiguration) {
        let batching = configuration.dynamicBatching
        maxBatchSize = max(1, configuration.maxBatchSize)
        combinesRequests = batching != nil && configuration.maxBatchSize > 1 && !configuration.isDecoupled
        let preferred = batching?.preferredBatchSizes ?? []
        preferredBatchSizes = preferred.isEmpty ? [max(1, configuration.maxBatchSize)] : preferred
        largestPreferredBatchSize = preferred.max() ?? max(1, configuration.maxBatchSize)
        maxQueueDelay = LevelPolicy.nanoseconds(batching?.maxQueueDelayMicroseconds ?? 0)
        preserveOrdering = batching?.preserveOrdering ?? false
        eagerBatching = configuration.optimization.eagerBatching
        defaultLevel = max(0, (batching?.defaultPriorityLevel ?? 0) - 1)
        let policy = batching?.defaultQueuePolicy ?? QueuePolicy()
        let count = max(1, batching?.priorityLevels ?? 0)
        levels = (1...count).map { LevelPolicy(batching?.priorityQueuePolicies[$0] ?? policy) }
    }

    /// The level, from 0, of a request with that priority: 0 means the default, and so does one that does not exist,
    /// as in the reference.
    package func level(ofPriority priority: Int) -> Int {
        (1...levels.count).contains(priority) ? priority - 1 : min(defaultLevel, levels.count - 1)
    }
}
