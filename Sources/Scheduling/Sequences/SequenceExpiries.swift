internal import HeapModule
internal import Tensors

/// When sequences have been idle, or in the backlog, for too long. Entries are mended when they come to the front: a
/// request moves its sequence's idle time without a search in here.
struct SequenceExpiries: Sendable {
    enum Kind: Sendable {
        case idle
        case backlog
    }

    private struct Entry: Comparable {
        var deadline: UInt64
        /// Of two that end at the same time, the one that was entered first is first.
        var number: UInt64
        var sequence: SequenceTable.Reference
        var kind: Kind

        static func < (left: Entry, right: Entry) -> Bool {
            (left.deadline, left.number) < (right.deadline, right.number)
        }
    }

    let idleTimeout: UInt64
    private var entries = Heap<Entry>()
    private var nextNumber: UInt64 = 0

    init(idleTimeout: UInt64) { self.idleTimeout = idleTimeout }

    /// Sees to it that the sequence, which has become idle, is ended in time.
    mutating func watch(_ index: Int, in table: inout SequenceTable) {
        guard !table.records[index].isWatched, let deadline = idleDeadline(table.records[index]) else { return }
        table.records[index].isWatched = true
        insert(deadline, index, .idle, in: table)
    }

    /// Takes up the deadline of a sequence in the backlog.
    mutating func noteDeadline(_ index: Int, in table: SequenceTable) {
        insert(table.records[index].deadline, index, .backlog, in: table)
    }

    /// `nil` for one that lies beyond what the clock can say.
    private func idleDeadline(_ record: SequenceTable.Record) -> UInt64? {
        let deadline = record.lastActivity.adding(idleTimeout)
        return deadline == .never ? nil : deadline
    }

    private mutating func insert(_ deadline: UInt64, _ index: Int, _ kind: Kind, in table: SequenceTable) {
        if entries.count > 64, entries.count > 4 * table.count {
            entries = Heap(entries.unordered.filter { isLive($0, in: table) })
        }
        entries.insert(Entry(deadline: deadline, number: nextNumber, sequence: table.reference(index), kind: kind))
        nextNumber &+= 1
    }

    private func isLive(_ entry: Entry, in table: SequenceTable) -> Bool {
        guard let index = table.index(of: entry.sequence) else { return false }
        let record = table.records[index]
        return entry.kind == .idle || record.slot == nil && record.deadline == entry.deadline
    }

    /// The next time at which a sequence has to end.
    mutating func next(in table: inout SequenceTable) -> UInt64? {
        while let entry = entries.min {
            guard let index = table.index(of: entry.sequence), isLive(entry, in: table) else {
                entries.removeMin()
                continue
            }
            guard entry.kind == .idle else { return entry.deadline }
            guard table.records[index].isIdle, let deadline = idleDeadline(table.records[index]) else {
                table.records[index].isWatched = false
                entries.removeMin()
                continue
            }
            if deadline == entry.deadline { return deadline }
            var mended = entry
            mended.deadline = deadline
            entries.replaceMin(with: mended)
        }
        return nil
    }

    /// Takes out a sequence that has to end.
    mutating func pop(now: UInt64, in table: inout SequenceTable) -> (index: Int, kind: Kind)? {
        guard let deadline = next(in: &table), deadline <= now, let entry = entries.popMin(),
            let index = table.index(of: entry.sequence)
        else { return nil }
        return (index, entry.kind)
    }
}
