internal import DequeModule

/// The sequences that have not ended, and which correlation ids still belong to them.
struct SequenceTable: Sendable {
    /// Names a sequence; it goes stale when the sequence ends.
    struct Reference: Hashable, Sendable {
        private let number: UInt32
        let generation: UInt32

        init(index: Int, generation: UInt32) {
            number = UInt32(truncatingIfNeeded: index)
            self.generation = generation
        }

        var index: Int { Int(number) }
    }

    struct Record: Sendable {
        var correlation: CorrelationID
        /// In the order of arrival; what runs is no longer among them.
        var waiting: Deque<SequencedRequest> = []
        var isRunning = false
        /// What runs, where the model may put it back.
        var running: SequencedRequest?
        /// Whether its correlation id still leads here. What a closed sequence has is all that it will ever have.
        var isOpen = true
        /// `nil` in the backlog.
        var slot: SequenceSlot?
        /// The latest time at which a request came or had run.
        var lastActivity: UInt64
        /// When it has waited too long for a slot, in nanoseconds; the maximum for never.
        var deadline = UInt64.max
        /// Whether the expiries have an entry for its idle time.
        var isWatched = false
        /// Its first waiting request among the candidates of its instance.
        var candidate: RequestHandle?

        /// Whether its first waiting request may run.
        var isReady: Bool { slot != nil && !isRunning && !waiting.isEmpty }
        var isIdle: Bool { !isRunning && waiting.isEmpty }
        var isOver: Bool { !isOpen && isIdle }
    }

    /// Only those that a live index leads to may be looked at.
    var records: [Record] = []
    private var generations: [UInt32] = []
    private var isLive: [Bool] = []
    private var free: [Int] = []
    private var open: [CorrelationID: Int] = [:]

    /// Sequences that have not ended.
    private(set) var count = 0

    var liveIndices: [Int] { isLive.indices.filter { isLive[$0] } }

    /// The open sequence of that correlation id.
    func index(of correlation: CorrelationID) -> Int? { open[correlation] }

    /// `nil` once the sequence has ended.
    func index(of reference: Reference) -> Int? {
        guard generations.indices.contains(reference.index), isLive[reference.index],
            generations[reference.index] == reference.generation
        else { return nil }
        return reference.index
    }

    func reference(_ index: Int) -> Reference { Reference(index: index, generation: generations[index]) }

    /// Adds an open sequence; the correlation id must not have one.
    mutating func insert(_ correlation: CorrelationID, now: UInt64) -> Int {
        let record = Record(correlation: correlation, lastActivity: now)
        let index: Int
        if let reused = free.popLast() {
            index = reused
            records[index] = record
        } else {
            index = records.count
            records.append(record)
            generations.append(0)
            isLive.append(false)
        }
        isLive[index] = true
        open[correlation] = index
        count += 1
        return index
    }

    /// Releases the correlation id, for which another sequence can begin.
    mutating func close(_ index: Int) {
        guard records[index].isOpen else { return }
        records[index].isOpen = false
        open[records[index].correlation] = nil
    }

    mutating func remove(_ index: Int) {
        close(index)
        records[index] = Record(correlation: .absent, lastActivity: 0)
        isLive[index] = false
        generations[index] &+= 1
        free.append(index)
        count -= 1
    }
}
