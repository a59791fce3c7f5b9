/// What a model's configuration says of its sequences.
package struct SequenceOptions: Hashable, Sendable {
    /// How requests of different sequences come together in a batch.
    package enum Strategy: Hashable, Sendable {
        /// A sequence keeps one row of its instance's batches, so that the model can keep its state by row. A batch
        /// waits up to the delay until that part of the rows, from 0 to 1, has a request; it waits for nothing where
        /// either of the two is 0.
        case direct(delayMicroseconds: UInt64, minimumSlotUtilization: Float)
        /// Up to that many sequences an instance are candidates (0: as many as its batch has rows), and their requests
        /// are batched like those of a model without sequences. The model finds its state by the correlation id.
        case oldest(
            maxCandidateSequences: Int, preferredBatchSizes: [Int], maxQueueDelayMicroseconds: UInt64,
            preserveOrdering: Bool)
    }

    /// One second, in nanoseconds.
    package static let defaultIdleTimeout: UInt64 = 1_000_000_000

    /// For the sentences of errors.
    package var modelName: String
    package var strategy: Strategy
    /// As in the configuration: 0 for a model that does not batch.
    package var maxBatchSize: Int
    package var instanceCount: Int
    /// How long a sequence may have no request waiting or running before it is ended, in nanoseconds; 0 for the
    /// default.
    package var idleTimeout: UInt64
    /// The most requests that may wait, those in the backlog included; 0 for no limit.
    package var maxWaitingRequests: Int
    /// Whether the owner keeps something for each slot, which it releases when the slot's sequence has ended.
    package var keepsStates: Bool
    /// Whether the model may put requests back. Each that names no sequence is one of its own.
    package var isIterative = false
    /// Whether sequences whose requests name none are numbered by texts.
    package var namesByText = false
    /// From there on they are numbered, as many as there are numbers below: far from those that clients choose. At
    /// least 1, and at most 1 << 63.
    package var firstFreshNumber: UInt64 = 1 << 63

    package init(
        modelName: String, strategy: Strategy, maxBatchSize: Int, instanceCount: Int,
        idleTimeout: UInt64 = defaultIdleTimeout, maxWaitingRequests: Int = 0,
        keepsStates: Bool = false
    ) {
        self.modelName = modelName
        self.strategy = strategy
        self.maxBatchSize = maxBatchSize
        self.instanceCount = max(1, instanceCount)
        self.idleTimeout = idleTimeout == 0 ? Self.defaultIdleTimeout : idleTimeout
        self.maxWaitingRequests = maxWaitingRequests
        self.keepsStates = keepsStates
    }

    /// Rows of the largest batch; at least 1.
    package var batchLimit: Int { max(1, maxBatchSize) }

    /// Sequences that one instance serves at a time; at least 1.
    package var slotsPerInstance: Int {
        if case .oldest(let candidates, _, _, _) = strategy, candidates > 0 { return candidates }
        return batchLimit
    }
}
