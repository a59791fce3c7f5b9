/// Time that passes, and stopping.
extension SequenceMachine {
    /// When ``expire(now:)`` has something to do next, in nanoseconds; `nil` for not before another event.
    package mutating func nextExpiry() -> UInt64? { expiries.next(in: &table) }

    /// Ends the sequences that have been idle, or in the backlog, for too long.
    ///
    /// A sequence is idle while none of its requests waits or runs, as Triton's documentation has it; so nothing
    /// is lost with it.
    package mutating func expire(now: UInt64) -> Expired {
        var expired = Expired()
        while let (index, kind) = expiries.pop(now: now, in: &table) {
            switch kind {
            case .idle: expired.idle.append(table.records[index].correlation)
            case .backlog: expired.timedOut += takeWaiting(index, from: 0)
            }
            table.close(index)
            if let wake = endIfOver(index, now: now) { expired.wakes.append(wake) }
        }
        return expired
    }

    /// Begins no more sequences from now on and holds nothing back. Every worker is to be woken, to finish what waits
    /// and exit.
    ///
    /// - Parameter keepingSequences: whether those that have begun may bring further requests until they end, by their
    ///   last request or by being idle. Where not, nothing at all is taken in any more. It can be given up, not got
    ///   back.
    package mutating func drain(keepingSequences: Bool = false) {
        keepsSequences = keepingSequences && (keepsSequences || !isDraining)
        isDraining = true
        if !keepsSequences { closeAll() }
        for instance in lanes.indices {
            switch lanes[instance].worker {
            case .parked, .woken, .holding: lanes[instance].worker = .woken
            case .running, .exited, .lost: break
            }
        }
    }

    /// Ends what is idle, the lowest slot first, and lets the rest run out. What takes the slots is held back no
    /// longer, so the time at which it could run is of no interest.
    private mutating func closeAll() {
        let indices = table.liveIndices
        for index in indices { table.close(index) }
        let slots = indices.filter { table.records[$0].isOver }.compactMap { table.records[$0].slot }
        for slot in slots.sorted() {
            if let index = lanes[slot.instance].occupants[slot.index] { end(index, now: 0) }
        }
    }

    /// Gives up what still waits, and every sequence that does not run: returns the requests, in the order of arrival.
    /// While draining, every worker is to be woken, to exit.
    package mutating func abandon() -> [SequencedRequest] {
        backlog.removeAll()
        isAbandoned = true
        var requests: [SequencedRequest] = []
        for index in table.liveIndices {
            requests += takeWaiting(index, from: 0)
            table.close(index)
            if table.records[index].isOver { remove(index) }
        }
        return requests.sorted { $0.arrival < $1.arrival }
    }

    /// Whether the model is being stopped and no sequence is left.
    package var isDrained: Bool { isDraining && table.count == 0 }
}
