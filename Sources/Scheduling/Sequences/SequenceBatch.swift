/// What one instance runs at once: at most one request of each sequence.
///
/// The scheduler speaks of requests by number; whoever owns them puts the requests themselves in place of the numbers.
@usableFromInline
package struct SequenceBatch<Request: Sendable>: Sendable {
    /// One row of the batch.
    @usableFromInline
    package struct Row: Sendable {
        /// The slot of the row's sequence in the instance; no other sequence has it until this one has ended.
        @usableFromInline package var slot: Int
        @usableFromInline package var control: SequenceControl
        /// `nil` for a slot without a request in this batch: the row is there so that the others keep their places.
        @usableFromInline package var request: Request?

        @inlinable
        package init(slot: Int, control: SequenceControl, request: Request? = nil) {
            self.slot = slot
            self.control = control
            self.request = request
        }
    }

    @usableFromInline package var instance: Int
    /// Under the strategy "direct" row and slot are the same number, and the last row has a request. Under "oldest"
    /// every row has a request.
    @usableFromInline package var rows: [Row]
    @usableFromInline package var reason: BatchReason

    @inlinable
    package init(instance: Int, rows: [Row], reason: BatchReason) {
        self.instance = instance
        self.rows = rows
        self.reason = reason
    }

    /// The requests, in the order of their rows.
    @inlinable package var requests: [Request] { rows.compactMap(\.request) }
}
