internal import Scheduling
internal import Tensors
internal import Threads

/// Has the batches of a model with sequences executed, each by its instance's own worker, which keeps the states.
final class SequenceDuty: CrewDuty {
    typealias Work = SequenceBatch<TakenRequest>

    let completion: Completion
    let execution: SequenceExecution
    /// `nil` for instances that get batches.
    private let handing: SequenceHanding?

    init(_ completion: Completion, _ execution: SequenceExecution, calls: RequestCalls? = nil) {
        self.completion = completion
        self.execution = execution
        handing = calls.map { SequenceHanding(execution: execution, calls: $0) }
    }

    func makeMemory() -> SequenceExecution.States { [:] }

    func forget(_ slots: [Int], _ states: inout SequenceExecution.States) {
        for slot in slots { states[slot] = nil }
    }

    func run(
        _ batch: Work, on instance: Int, _ member: CrewMember, _ states: inout SequenceExecution.States,
        of crew: InstanceCrew<SequencingMachine>
    ) -> Bool {
        if let handing { return hand(batch, handing, on: instance, member, &states, of: crew) }
        var outcomes: [(part: Work, outcome: ExecutionOutcome)] = []
        for part in execution.parts(of: batch, states) {
            // Who gives the instance up answers the whole batch, of which nothing has been answered yet.
            let executed = crew.watching(batch, on: instance, member) { _ in
                let outcome = execution.run(part, on: member, states: &states)
                guard let loss = loss(of: member), !loss.hadBatch, crew.ask({ $0.onlyBegins(batch) }) else {
                    return outcome
                }
                // The process went while it had nothing to do, and nobody's states with it.
                return execution.run(part, on: member, states: &states)
            }
            guard let outcome = executed else { return false }
            if loss(of: member) != nil {
                endSequences(of: batch, on: instance, outcome, crew)
                return true
            }
            outcomes.append((part, outcome))
        }
        let now = crew.clock.now()
        crew.perform { machine, _ in machine.completed(batch, now: now) }
        for (part, outcome) in outcomes {
            let requests = part.requests
            completion.complete(
                ExecutedBatch(
                    requests: requests, rows: part.rows.count, items: requests.count, reason: part.reason),
                outcome, on: member.identity)
        }
        return true
    }

    private func hand(
        _ batch: Work, _ handing: SequenceHanding, on instance: Int, _ member: CrewMember,
        _ states: inout SequenceExecution.States, of crew: InstanceCrew<SequencingMachine>
    ) -> Bool {
        let putBack = crew.watching(batch, on: instance, member) { _ in
            handing.run(batch, on: member, states: &states) { requests in
                if crew.supervisor != nil { handing.calls.hold(requests, on: instance) }
            }
        }
        guard let putBack else { return false }
        handing.calls.hold(nil, on: instance)
        let now = crew.clock.now()
        let error = HalcyonError(
            .unavailable, "model '\(completion.name)' was stopped before the request had run to its end")
        crew.perform { machine, effects in
            effects.end(machine.completed(batch, putBack: putBack, now: now), error, .rejected(.stopping))
        }
        return true
    }

    /// The instance, where its last execution failed because its process ended, and the states of its sequences with
    /// that.
    private func loss(of member: CrewMember) -> (any WorkerInstanceLoss)? {
        guard execution.losesStates, let instance = member.instance as? any WorkerInstanceLoss, instance.hasLostWorker
        else { return nil }
        return instance
    }

    /// The sequences of an instance end with the process that had their states.
    private func endSequences(
        of batch: Work, on instance: Int, _ outcome: ExecutionOutcome, _ crew: InstanceCrew<SequencingMachine>
    ) {
        var error = HalcyonError(.unavailable, "model '\(completion.name)': its worker process is gone")
        if case .failure(let own) = outcome.responses { error = own }
        error.message += lossNote
        let now = crew.clock.now()
        crew.perform { [error] machine, effects in
            effects.end(batch.requests + machine.lose(instance: instance, now: now, &effects), error, .backend)
            machine.replace(instance: instance, now: now, &effects)
        }
    }

    func giveUp(_ batch: Work, on instance: Int, _ error: HalcyonError) {
        if let handing { return handing.calls.giveUp(on: instance, error) }
        completion.fail(batch.requests, error, cause: .backend)
    }

    var isIdle: Bool { handing?.calls.isIdle ?? true }

    var lossNote: String { ", and its sequences have ended" }
}
