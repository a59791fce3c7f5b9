/// What one instance runs at once: at most one request of each sequence.
package struct SequenceBatch: Sendable {
    /// One row of the batch.
    package struct Row: Sendable {
        /// The slot of the row's sequence in the instance; no other sequence has it until this one has ended.
        package var slot: Int
        package var control: SequenceControl
        /// `nil` for a slot without a request in this batch: the row is there so that the others keep their places.
        package var request: SequencedRequest?
    }

    package var instance: Int
    /// Under the strategy "direct" row and slot are the same number, and the last row has a request. Under "oldest"
    /// every row has a request.
    package var rows: [Row]
    package var reason: BatchReason

    /// The requests, in the order of their rows.
    package var requests: [SequencedRequest] { rows.compactMap(\.request) }
}
