internal import DequeModule

/// The sequences that wait for a slot, in the order in which they began. One that ends while it waits leaves a stale
/// entry behind, which is dropped when it comes to the front or when there are many of them.
struct SequenceBacklog: Sendable {
    private var entries: Deque<SequenceTable.Reference> = []
    /// Sequences that wait.
    private(set) var count = 0

    mutating func append(_ reference: SequenceTable.Reference) {
        entries.append(reference)
        count += 1
    }

    /// A sequence in here has ended, and has left the table.
    mutating func noteRemoval(in table: SequenceTable) {
        count -= 1
        if entries.count > 64, entries.count > 2 * count { entries.removeAll { table.index(of: $0) == nil } }
    }

    /// Takes out the sequence that has waited longest.
    mutating func popFirst(in table: SequenceTable) -> Int? {
        while let reference = entries.popFirst() {
            guard let index = table.index(of: reference) else { continue }
            count -= 1
            return index
        }
        return nil
    }

    mutating func removeAll() {
        entries.removeAll()
        count = 0
    }
}
