internal import DequeModule
internal import Tensors

/// Sequences in and out of their slots, and requests in and out of their sequences.
extension SequenceMachine {
    mutating func occupy(_ slot: SequenceSlot, by index: Int, now: UInt64) {
        table.records[index].slot = slot
        lanes[slot.instance].occupy(slot.index, by: index)
        if table.records[index].isReady { makeReady(index, now: now) }
    }

    /// The first waiting request of a sequence may run from now on.
    mutating func makeReady(_ index: Int, now: UInt64) {
        guard let slot = table.records[index].slot, let request = table.records[index].waiting.first else { return }
        lanes[slot.instance].readyCount += 1
        table.records[index].candidate = lanes[slot.instance].candidates?.add(
            slot: slot.index, shape: request.shape, now: now)
    }

    /// Takes out the waiting requests of a sequence from that position on.
    mutating func takeWaiting(_ index: Int, from position: Int) -> [SequencedRequest] {
        var requests = Array(table.records[index].waiting.dropFirst(position))
        if position == 0, table.records[index].isReady, let slot = table.records[index].slot {
            lanes[slot.instance].readyCount -= 1
            if let candidate = table.records[index].candidate {
                requests[0].turn = lanes[slot.instance].candidates?.remove(candidate)
                requests[0].instance = slot.instance
                table.records[index].candidate = nil
            }
        }
        table.records[index].waiting.removeLast(requests.count)
        waitingCount -= requests.count
        return requests
    }

    /// Takes out the first waiting request of a sequence, which runs now.
    mutating func takeFirst(_ index: Int, turn: UInt64?) -> SequencedRequest? {
        guard let slot = table.records[index].slot, var request = table.records[index].waiting.popFirst() else {
            return nil
        }
        request.turn = turn
        request.instance = slot.instance
        table.records[index].isRunning = true
        if options.isIterative { table.records[index].running = request }
        table.records[index].candidate = nil
        lanes[slot.instance].readyCount -= 1
        waitingCount -= 1
        return request
    }

    /// - Returns: the instance whose worker has something to do, if the sequence has ended.
    mutating func endIfOver(_ index: Int, now: UInt64) -> Int? {
        guard table.records[index].isOver else { return nil }
        let instance = table.records[index].slot?.instance
        end(index, now: now)
        return instance.flatMap { wakeWorker(of: $0, now: now) }
    }

    /// Ends a sequence; its slot goes to the one that has waited longest.
    mutating func end(_ index: Int, now: UInt64) {
        guard let slot = table.records[index].slot else {
            table.remove(index)
            backlog.noteRemoval(in: table)
            return
        }
        vacate(slot)
        table.remove(index)
        guard !lanes[slot.instance].isRemoved, let next = backlog.popFirst(in: table) else { return slots.give(slot) }
        occupy(slot, by: next, now: now)
    }

    /// Ends a sequence for which nobody waits in the backlog any more, itself included.
    mutating func remove(_ index: Int) {
        if let slot = table.records[index].slot {
            vacate(slot)
            slots.give(slot)
        }
        table.remove(index)
    }

    private mutating func vacate(_ slot: SequenceSlot) {
        lanes[slot.instance].vacate(slot.index)
        if options.keepsStates { lanes[slot.instance].ended.append(slot.index) }
    }

    /// A sequence in the backlog waits as long as the most impatient of its requests.
    mutating func shortenDeadline(_ index: Int, by request: SequencedRequest) {
        guard request.backlogDeadline < table.records[index].deadline else { return }
        table.records[index].deadline = request.backlogDeadline
        expiries.noteDeadline(index, in: table)
    }

    /// As if the requests that it has left were all that ever came.
    mutating func recomputeDeadline(_ index: Int) {
        let deadline = table.records[index].waiting.reduce(UInt64.max) { min($0, $1.backlogDeadline) }
        guard deadline != table.records[index].deadline else { return }
        table.records[index].deadline = deadline
        if deadline != .max { expiries.noteDeadline(index, in: table) }
    }
}

extension SequencedRequest {
    /// The maximum for never.
    fileprivate var backlogDeadline: Nanoseconds { timeout == 0 ? .never : enqueueTime.adding(timeout) }
}

extension SequenceTable.Record {
    /// Where a request waits, by bisection.
    func position(ofArrival arrival: UInt64) -> Int? {
        var (low, high) = (0, waiting.count)
        while low < high {
            let middle = low + (high - low) / 2
            if waiting[middle].arrival < arrival { low = middle + 1 } else { high = middle }
        }
        return low < waiting.count && waiting[low].arrival == arrival ? low : nil
    }
}
