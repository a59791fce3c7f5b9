/// One instance as the sequence scheduler sees it: its worker and its slots.
struct InstanceLane: Sendable {
    enum Worker: Equatable, Sendable {
        /// Told to sleep.
        case parked
        /// Told to come, or on its way to ask for the next batch.
        case woken
        case holding(until: UInt64)
        case running
        case exited
        /// It does not come back from an execution.
        case lost
    }

    var worker = Worker.parked
    /// Whether it gets no more sequences, and goes when those that it has have ended.
    var isRemoved = false
    /// The sequence in each slot, as its index in the table; as long as the highest slot that was ever held.
    private(set) var occupants: [Int?] = []
    private(set) var occupiedCount = 0
    /// Sequences whose first waiting request may run.
    var readyCount = 0
    /// Slots whose sequences have ended since the worker last asked, where it keeps something for them.
    var ended: [Int] = []
    /// Under the strategy "oldest".
    var candidates: CandidateQueue?

    mutating func occupy(_ slot: Int, by sequence: Int) {
        while occupants.count <= slot { occupants.append(nil) }
        occupants[slot] = sequence
        occupiedCount += 1
    }

    mutating func vacate(_ slot: Int) {
        occupants[slot] = nil
        occupiedCount -= 1
    }
}
