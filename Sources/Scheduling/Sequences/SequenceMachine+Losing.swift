/// Instances that do not come back from an execution.
extension SequenceMachine {
    /// Ids of lost sequences that are remembered at most, to tell their callers why.
    static let maximumLostCount = 4096

    /// A worker does not come back from an execution, and nobody waits for it any longer. Its sequences end with it, as
    /// their states are lost; nothing more is given to it until it is replaced.
    ///
    /// - Returns: the requests of its sequences that had not run yet, in the order of arrival. Those of the batch are
    ///   answered by whoever has it, which is not ``completed(slots:instance:now:)`` any more.
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

    /// Sequences that an instance has, whether they run or not.
    package func sequenceCount(of instance: Int) -> Int {
        lanes.indices.contains(instance) ? lanes[instance].occupiedCount : 0
    }

    private mutating func noteLost(_ correlation: CorrelationID) {
        if lost.count >= Self.maximumLostCount { lost.removeAll() }
        lost.insert(correlation)
    }

    /// There is a new worker for an instance that was lost, which is to be woken: those in the backlog get its slots.
    package mutating func replace(instance: Int, now: UInt64) {
        guard lanes.indices.contains(instance), lanes[instance].worker == .lost else { return }
        outage = nil
        lanes[instance].worker = .woken
        if !lanes[instance].isRemoved { slots.restore(instance: instance) }
        giveSlots(now: now)
    }

    /// No instance is left, and none will be for a while.
    ///
    /// - Returns: the requests of sequences that do not wait so long, which have ended; each is told
    ///   ``Outage/error(now:)``.
    package mutating func suffer(_ outage: Outage, now: UInt64) -> [SequencedRequest] {
        guard isDeserted, !isDraining else { return [] }
        self.outage = outage
        var requests: [SequencedRequest] = []
        for index in table.liveIndices where table.records[index].slot == nil {
            let isPatient = table.records[index].waiting.allSatisfy { isWorthWaiting($0, outage, now: now) }
            if isPatient { continue }
            requests += takeWaiting(index, from: 0)
            table.close(index)
            _ = endIfOver(index, now: now)
        }
        return requests.sorted { $0.arrival < $1.arrival }
    }

    func isWorthWaiting(_ request: SequencedRequest, _ outage: Outage, now: UInt64) -> Bool {
        outage.isWorthWaiting(enqueueTime: request.enqueueTime, timeout: request.timeout, now: now)
    }

    /// Whether no instance is left to run what waits.
    package var isDeserted: Bool { lanes.allSatisfy { $0.worker == .lost || $0.isRemoved && $0.worker == .exited } }

    /// Slots of that instance whose sequences have ended since this was last asked, and whose states are of no use any
    /// more: none of them has run since for another sequence, if it is asked whenever the worker asks for its next
    /// batch.
    package mutating func takeEnded(instance: Int) -> [Int] {
        guard lanes.indices.contains(instance), !lanes[instance].ended.isEmpty else { return [] }
        defer { lanes[instance].ended = [] }
        return lanes[instance].ended
    }
}
