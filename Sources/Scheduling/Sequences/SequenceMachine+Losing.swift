/// Instances that do not come back from an execution.
extension SequenceMachine {
    /// Ids of lost sequences that are remembered at most, to tell their callers why.
    static let maximumLostCount = 4096

    /// A worker does not come back from an execution, and nobody waits for it any longer. Its sequences end with it, as
    /// their states are lost; nothing more is given to it until it is replaced.
    ///
    /// - Returns: the requests of its sequences that had not run yet, in the order of arrival. Those of the batch are
    ///   answered by whoever has it, which is not ``completed(_:now:)`` any more.
    package mutating func lose(instance: Int) -> [SequencedRequest] {
        guard lanes.indices.contains(instance) else { return [] }
        lanes[instance].worker = .lost
        slots.lose(instance: instance)
        var requests: [SequencedRequest] = []
        for case let index? in lanes[instance].occupants {
            requests += takeWaiting(index, from: 0)
            if table.records[index].isOpen { noteLost(table.records[index].correlation) }
            remove(index)
        }
        lanes[instance].ended = []
        return requests.sorted { $0.arrival < $1.arrival }
    }

    private mutating func noteLost(_ correlation: CorrelationID) {
        if lost.count >= Self.maximumLostCount { lost.removeAll() }
        lost.insert(correlation)
    }

    /// There is a new worker for an instance that was lost, which is to be woken: those in the backlog get its slots.
    package mutating func replace(instance: Int, now: UInt64) {
        guard lanes.indices.contains(instance), lanes[instance].worker == .lost else { return }
        lanes[instance].worker = .woken
        slots.restore(instance: instance)
        while backlog.count > 0, let slot = slots.take() {
            guard let next = backlog.popFirst(in: table) else { return slots.give(slot) }
            occupy(slot, by: next, now: now)
        }
    }

    /// Whether no instance is left to run what waits.
    package var isDeserted: Bool { lanes.allSatisfy { $0.worker == .lost } }

    /// Slots of that instance whose sequences have ended since this was last asked, and whose states are of no use any
    /// more: none of them has run since for another sequence, if it is asked whenever the worker asks for its next batch.
    package mutating func takeEnded(instance: Int) -> [Int] {
        guard lanes.indices.contains(instance), !lanes[instance].ended.isEmpty else { return [] }
        defer { lanes[instance].ended = [] }
        return lanes[instance].ended
    }
}
