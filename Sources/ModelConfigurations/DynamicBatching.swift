internal import Tensors

/// How single requests are combined into batches (`dynamic_batching`).
public struct DynamicBatching: Hashable, Sendable {
    /// Priority levels that one model may have.
    public static let maximumPriorityLevels = 1024

    /// The sizes that a batch should have. The engine takes the maximum batch size where none is given.
    public var preferredBatchSizes: [Int]
    /// Whether the sizes are the engine's default, and nobody has asked for them.
    package var hasDefaultSizes: Bool {
        get { origin.isDefault }
        set { origin.isDefault = newValue }
    }
    private var origin = Origin()
    /// ``maxQueueDelay`` in microseconds, as configurations write it.
    package var maxQueueDelayMicroseconds: UInt64
    /// Whether responses leave in the order in which their requests came.
    public var preserveOrdering: Bool
    /// Priorities are 1 (served first) to this number; 0 for none.
    public var priorityLevels: Int
    /// The priority of a request that names none.
    public var defaultPriorityLevel: Int
    /// The policy of requests whose priority level has none of its own.
    public var defaultQueuePolicy: QueuePolicy
    /// The policy of single priority levels, in place of the default.
    public var priorityQueuePolicies: [Int: QueuePolicy]

    /// Configurations that say the same are equal, whoever said it.
    private struct Origin: Hashable {
        var isDefault = false

        static func == (left: Origin, right: Origin) -> Bool { true }
        func hash(into hasher: inout Hasher) {}
    }

    /// Batches of any size that wait for nobody, unless the arguments say otherwise.
    public init(
        preferredBatchSizes: [Int] = [], maxQueueDelay: Duration = .zero, preserveOrdering: Bool = false,
        priorityLevels: Int = 0, defaultPriorityLevel: Int = 0, defaultQueuePolicy: QueuePolicy = QueuePolicy(),
        priorityQueuePolicies: [Int: QueuePolicy] = [:]
    ) {
        self.init(
            preferredBatchSizes: preferredBatchSizes, maxQueueDelayMicroseconds: maxQueueDelay.wholeMicroseconds,
            preserveOrdering: preserveOrdering, priorityLevels: priorityLevels,
            defaultPriorityLevel: defaultPriorityLevel, defaultQueuePolicy: defaultQueuePolicy,
            priorityQueuePolicies: priorityQueuePolicies)
    }

    package init(
        preferredBatchSizes: [Int] = [], maxQueueDelayMicroseconds: UInt64, preserveOrdering: Bool = false,
        priorityLevels: Int = 0, defaultPriorityLevel: Int = 0, defaultQueuePolicy: QueuePolicy = QueuePolicy(),
        priorityQueuePolicies: [Int: QueuePolicy] = [:]
    ) {
        self.preferredBatchSizes = preferredBatchSizes
        self.maxQueueDelayMicroseconds = maxQueueDelayMicroseconds
        self.preserveOrdering = preserveOrdering
        self.priorityLevels = priorityLevels
        self.defaultPriorityLevel = defaultPriorityLevel
        self.defaultQueuePolicy = defaultQueuePolicy
        self.priorityQueuePolicies = priorityQueuePolicies
    }

    /// How long a request may be held back so that others can join it, in whole microseconds; zero holds nothing back.
    public var maxQueueDelay: Duration {
        get { Duration(microseconds: maxQueueDelayMicroseconds) }
        set { maxQueueDelayMicroseconds = newValue.wholeMicroseconds }
    }
}
