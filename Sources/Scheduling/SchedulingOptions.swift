package import ModelConfigurations
package import Tensors

/// What a model's configuration says of its queue and its batches, in the units that the scheduler works in.
package struct SchedulingOptions: Hashable, Sendable {
    /// The waiting rules of one priority level.
    package struct LevelPolicy: Hashable, Sendable {
        package var timeoutAction: QueuePolicy.TimeoutAction
        /// Nanoseconds; 0 for none.
        package var defaultTimeout: Nanoseconds
        package var allowTimeoutOverride: Bool
        /// Requests; 0 for no limit.
        package var maxQueueSize: Int

        package init(
            timeoutAction: QueuePolicy.TimeoutAction = .reject, defaultTimeout: Nanoseconds = 0,
            allowTimeoutOverride: Bool = false, maxQueueSize: Int = 0
        ) {
            self.timeoutAction = timeoutAction
            self.defaultTimeout = defaultTimeout
            self.allowTimeoutOverride = allowTimeoutOverride
            self.maxQueueSize = maxQueueSize
        }

        package init(_ policy: QueuePolicy) {
            self.init(
                timeoutAction: policy.timeoutAction, defaultTimeout: .microseconds(policy.defaultTimeoutMicroseconds),
                allowTimeoutOverride: policy.allowTimeoutOverride, maxQueueSize: policy.maxQueueSize)
        }

        /// The time that a request may wait, in nanoseconds, when it asked for `requested`; 0 for as long as it takes.
        /// An override may shorten the default, never stretch it.
        package func timeout(requested: Nanoseconds) -> Nanoseconds {
            guard allowTimeoutOverride, requested != 0 else { return defaultTimeout }
            return defaultTimeout == 0 ? requested : min(requested, defaultTimeout)
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
    package var maxQueueDelay: Nanoseconds
    /// Nanoseconds from a request's arrival to its answer that batches are formed for; 0 for none. Read only where
    /// requests are combined.
    package var latencyBudget: Nanoseconds = 0
    package var preserveOrdering: Bool
    package var eagerBatching: Bool
    /// The level of a request that names none, from 0.
    package var defaultLevel: Int
    /// One policy a priority level, most urgent first; never empty.
    package var levels: [LevelPolicy]

    /// - Parameter maxBatchSize: requests are combined where it is more than 1.
    package init(
        maxBatchSize: Int, preferredBatchSizes: [Int] = [], maxQueueDelay: Nanoseconds = 0,
        levels: [LevelPolicy] = [LevelPolicy()]
    ) {
        self.maxBatchSize = max(1, maxBatchSize)
        combinesRequests = maxBatchSize > 1
        self.preferredBatchSizes = preferredBatchSizes.isEmpty ? [max(1, maxBatchSize)] : preferredBatchSizes
        largestPreferredBatchSize = preferredBatchSizes.max() ?? max(1, maxBatchSize)
        self.maxQueueDelay = maxQueueDelay
        preserveOrdering = false
        eagerBatching = false
        defaultLevel = 0
        self.levels = levels.isEmpty ? [LevelPolicy()] : levels
    }

    package init(_ configuration: ModelConfiguration) {
        let batching = configuration.dynamicBatching
        let policy = batching?.defaultQueuePolicy ?? QueuePolicy()
        let count = max(1, batching?.priorityLevels ?? 0)
        self.init(
            maxBatchSize: configuration.maxBatchSize, preferredBatchSizes: batching?.preferredBatchSizes ?? [],
            maxQueueDelay: .microseconds(batching?.maxQueueDelayMicroseconds ?? 0),
            levels: (1...count).map { LevelPolicy(batching?.priorityQueuePolicies[$0] ?? policy) })
        combinesRequests = combinesRequests && batching != nil && !configuration.isDecoupled
        if batching != nil, let budget = configuration.parameters[ServerParameter.latencyBudget.rawValue] {
            latencyBudget = .microseconds(UInt64(budget) ?? 0)
        }
        preserveOrdering = batching?.preserveOrdering ?? false
        eagerBatching = configuration.optimization.eagerBatching
        defaultLevel = max(0, (batching?.defaultPriorityLevel ?? 0) - 1)
    }

    /// The level, from 0, of a request with that priority: 0 means the default, and so does one that does not exist,
    /// as in Triton.
    package func level(ofPriority priority: Int) -> Int {
        (1...levels.count).contains(priority) ? priority - 1 : min(defaultLevel, levels.count - 1)
    }
}
