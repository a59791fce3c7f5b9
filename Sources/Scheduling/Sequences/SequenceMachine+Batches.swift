/// Which batch an instance runs next, and who is told.
extension SequenceMachine {
    enum Plan {
        case slots(DirectPlanner.Plan)
        case candidates(BatchPlan)
    }

    enum Decision {
        case run(Plan)
        case wait(until: UInt64)
        case empty
    }

    mutating func decide(_ instance: Int, now: UInt64) -> Decision {
        let isDraining = isDraining
        if let decision = lanes[instance].candidates?.decide(now: now, isDraining: isDraining) {
            return switch decision {
            case .run(let plan): .run(.candidates(plan))
            case .wait(let until): .wait(until: until)
            case .empty: .empty
            }
        }
        return switch planner.decide(lanes[instance], table, now: now, isDraining: isDraining) {
        case .run(let plan): .run(.slots(plan))
        case .wait(let until): .wait(until: until)
        case .empty: .empty
        }
    }

    mutating func take(_ plan: Plan, instance: Int) -> SequenceBatch<SequencedRequest> {
        switch plan {
        case .slots(let plan): take(plan, instance: instance)
        case .candidates(let plan): take(plan, instance: instance)
        }
    }

    private mutating func take(_ plan: DirectPlanner.Plan, instance: Int) -> SequenceBatch<SequencedRequest> {
        var rows: [SequenceBatch<SequencedRequest>.Row] = []
        rows.reserveCapacity(plan.rowCount)
        for slot in 0..<plan.rowCount {
            if let index = lanes[instance].occupants[slot], planner.takes(table.records[index], plan.shape),
                let request = takeFirst(index, turn: nil)
            {
                rows.append(.init(slot: slot, control: SequenceControl(request), request: request))
            } else {
                rows.append(.init(slot: slot, control: .notReady))
            }
        }
        return SequenceBatch(instance: instance, rows: rows, reason: plan.reason)
    }

    private mutating func take(_ plan: BatchPlan, instance: Int) -> SequenceBatch<SequencedRequest> {
        let taken = lanes[instance].candidates?.take(plan) ?? []
        var rows: [SequenceBatch<SequencedRequest>.Row] = []
        rows.reserveCapacity(taken.count)
        for (slot, turn) in taken {
            guard let index = lanes[instance].occupants[slot], let request = takeFirst(index, turn: turn) else {
                continue
            }
            rows.append(.init(slot: slot, control: SequenceControl(request), request: request))
        }
        return SequenceBatch(instance: instance, rows: rows, reason: plan.reason)
    }

    /// Whether the instance will never have anything to run again. The backlog is empty while it has a free slot.
    package func mayExit(_ instance: Int) -> Bool {
        (isDraining || lanes[instance].isRemoved) && lanes[instance].occupiedCount == 0
    }

    /// - Returns: the instance, if its worker sleeps and has something to do, or can act sooner than it knows of.
    mutating func wakeWorker(of instance: Int, now: UInt64) -> Int? {
        let worker = lanes[instance].worker
        guard worker != .running, worker != .woken, worker != .exited, worker != .lost else { return nil }
        let hasNews =
            switch (worker, decide(instance, now: now)) {
            case (_, .run): true
            case (.holding(let known), .wait(let until)): until < known
            case (_, .wait): true
            case (_, .empty): mayExit(instance) || !lanes[instance].ended.isEmpty
            }
        guard hasNews else { return nil }
        lanes[instance].worker = .woken
        return instance
    }
}
