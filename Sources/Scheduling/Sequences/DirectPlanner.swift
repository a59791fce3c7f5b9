internal import DequeModule
internal import Tensors

/// Batch formation under the strategy "direct": which slots of an instance run now, and why.
///
/// The rules are Triton's: every slot that has a request takes part, up to the last such slot; a batch is held back
/// while fewer slots than asked for have one, until the oldest of the requests has waited as long as the delay allows.
/// Requests of other shapes than the oldest one's stay behind; Triton goes by the lowest slot's instead, and a
/// higher one could then wait for ever.
struct DirectPlanner: Sendable {
    struct Plan {
        var shape: ShapeKey
        /// Slots from 0 that are rows of the batch.
        var rowCount: Int
        var reason: BatchReason
    }

    enum Decision {
        case run(Plan)
        /// Nothing may run yet; something may at that time, in nanoseconds.
        case wait(until: UInt64)
        case empty
    }

    private struct Survey {
        var ready = 0
        var oldest = UInt64.max
        /// Of the oldest request.
        var shape = ShapeKey.fixed
    }

    let slots: Int
    /// Nanoseconds.
    let delay: UInt64
    let minimumUtilization: Float

    func decide(_ lane: InstanceLane, _ table: SequenceTable, now: UInt64, isDraining: Bool) -> Decision {
        guard lane.readyCount > 0 else { return .empty }
        let survey = survey(lane, table)
        let holdsBack = delay > 0 && minimumUtilization > 0
        let isUtilized = Float(survey.ready) / Float(slots) >= minimumUtilization
        let deadline = survey.oldest.adding(delay)
        let isExpired = deadline <= now
        if holdsBack, !isDraining, !isUtilized, !isExpired { return .wait(until: deadline) }
        let (rowCount, takenCount) = extent(lane, table, survey.shape)
        let reason: BatchReason =
            if slots == 1 {
                .unbatched
            } else if takenCount == slots {
                .full
            } else if takenCount < survey.ready {
                .shapeBoundary
            } else if isDraining {
                .draining
            } else if holdsBack {
                isUtilized ? .preferredSize : .delayExpired
            } else {
                .instanceFree
            }
        return .run(Plan(shape: survey.shape, rowCount: rowCount, reason: reason))
    }

    private func survey(_ lane: InstanceLane, _ table: SequenceTable) -> Survey {
        var survey = Survey()
        for case let index? in lane.occupants {
            guard table.records[index].isReady, let request = table.records[index].waiting.first else { continue }
            survey.ready += 1
            if survey.ready == 1 || request.enqueueTime < survey.oldest {
                survey.oldest = request.enqueueTime
                survey.shape = request.shape
            }
        }
        return survey
    }

    /// How many rows reach up to the last request of that shape, and how many such requests there are.
    private func extent(
        _ lane: InstanceLane, _ table: SequenceTable, _ shape: ShapeKey
    ) -> (rowCount: Int, takenCount: Int) {
        var (rowCount, takenCount) = (0, 0)
        for (slot, index) in lane.occupants.enumerated() {
            guard let index, takes(table.records[index], shape) else { continue }
            rowCount = slot + 1
            takenCount += 1
        }
        return (rowCount, takenCount)
    }

    /// Whether a batch of that shape takes the sequence's next request along.
    func takes(_ record: SequenceTable.Record, _ shape: ShapeKey) -> Bool {
        record.isReady && record.waiting.first?.shape == shape
    }
}
