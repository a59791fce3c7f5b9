/// Instances that come and go while the model serves.
extension SequenceMachine {
    /// There are new instances, with workers on their way: those in the backlog get their slots.
    ///
    /// - Returns: their numbers.
    package mutating func add(count: Int, now: UInt64) -> Range<Int> {
        let first = lanes.count
        for _ in 0..<count {
            var lane = emptyLane
            lane.worker = .woken
            lanes.append(lane)
            slots.add()
        }
        giveSlots(now: now)
        return first..<lanes.count
    }

    /// An instance gets no more sequences. Those that it has go on until they end, and then its worker ends.
    ///
    /// - Returns: whether nothing keeps it: its worker is to be woken, to end.
    package mutating func remove(instance: Int) -> Bool {
        guard lanes.indices.contains(instance), !lanes[instance].isRemoved else { return false }
        lanes[instance].isRemoved = true
        slots.lose(instance: instance)
        switch lanes[instance].worker {
        case .lost, .exited: return false
        case .running: return false
        case .parked, .woken, .holding:
            guard lanes[instance].occupiedCount == 0 else { return false }
            lanes[instance].worker = .woken
            return true
        }
    }

    /// Whether an instance gets no more sequences.
    package func isRemoved(_ instance: Int) -> Bool { lanes.indices.contains(instance) && lanes[instance].isRemoved }

    /// Instances that are there, whether they are to go or not, by number.
    package var instanceNumbers: Range<Int> { lanes.indices }

    /// Instances that get sequences.
    package var activeCount: Int { lanes.count { !$0.isRemoved } }

    /// Gives those in the backlog what slots there are.
    mutating func giveSlots(now: UInt64) {
        while backlog.count > 0, let slot = slots.take() {
            guard let next = backlog.popFirst(in: table) else { return slots.give(slot) }
            occupy(slot, by: next, now: now)
        }
    }
}
