/// What the sequence scheduler knows of a request. It never sees the request itself.
package struct SequencedRequest: Sendable {
    /// By which its owner knows the request; the scheduler only carries it.
    package var id: Int
    package var correlation: CorrelationID
    /// The first request of its sequence.
    package var start: Bool
    /// The last request of its sequence.
    package var end: Bool
    /// Items that it brings; more than 1 is refused.
    package var batchSize = 1
    package var shape = ShapeKey.fixed
    /// When it was enqueued, in nanoseconds of the clock.
    package var enqueueTime: UInt64
    /// How long it lets its sequence wait for a slot, in nanoseconds; 0 for as long as it takes. It counts for nothing
    /// once the sequence has one.
    package var timeout: UInt64 = 0
    /// Position in the order of arrival; given by the machine.
    package internal(set) var arrival: UInt64 = 0
    /// For `preserveOrdering`: the place of its response among those of its instance, from 0 and without a gap.
    /// Given by the machine, under the strategy "oldest" alone, when it is the request's turn to be in a batch; `nil`
    /// for a request that left before.
    package internal(set) var turn: UInt64?
    /// The instance that the turn is one of.
    package internal(set) var instance: Int?

    package init(
        id: Int, correlation: CorrelationID, start: Bool = false, end: Bool = false, enqueueTime: UInt64
    ) {
        self.id = id
        self.correlation = correlation
        self.start = start
        self.end = end
        self.enqueueTime = enqueueTime
    }
}
