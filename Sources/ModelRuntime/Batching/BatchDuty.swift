internal import Scheduling
internal import Tensors

/// Has the batches of a model without sequences executed.
///
/// An instance gets a batch as a whole and its outputs are all the answers, or it gets requests one by one and answers
/// each of them when it likes (``RequestCalls``).
final class BatchDuty: CrewDuty {
    typealias Crew = InstanceCrew<BatchingMachine>

    let completion: Completion
    let execution: BatchExecution
    /// `nil` for instances that get batches.
    private let calls: RequestCalls?
    /// Whether the scheduler wants to know how long batches take.
    private let learns: Bool
    let pace = ExecutionPace()

    init(_ completion: Completion, _ execution: BatchExecution, calls: RequestCalls?, learns: Bool = false) {
        self.completion = completion
        self.execution = execution
        self.calls = calls
        self.learns = learns
    }

    func makeMemory() {}

    func forget(_ slots: [Int], _ memory: inout Void) {}

    func run(
        _ batch: Batch<TakenRequest>, on instance: Int, _ member: CrewMember, _ memory: inout Void, of crew: Crew
    ) -> Bool { run(batch, on: instance, member, of: crew) }

    /// - Returns: whether the instance goes on; if not, its batch has been answered while it was executing.
    func run(_ batch: Batch<TakenRequest>, on instance: Int, _ member: CrewMember, of crew: Crew) -> Bool {
        if let calls { return calls.run(batch, on: instance, member, of: crew) }
        let executed = crew.watching(batch, on: instance, member) { ticket in
            execution.run(batch, on: member, isWatched: ticket != nil)
        }
        guard let outcome = executed else { return false }
        if case .failure(let error) = outcome.responses {
            let mayRunAgain = noteLoss(of: batch, on: member, crew.model)
            if mayRunAgain || batch.requests.count > 1 && error.code == .invalidArgument {
                return runSingly(batch, on: instance, member, of: crew)
            }
        }
        complete(batch, outcome, on: member, of: crew)
        return true
    }

    /// What one request of a batch has wrong is no fault of the others: each has its own execution, and its own end.
    private func runSingly(
        _ batch: Batch<TakenRequest>, on instance: Int, _ member: CrewMember, of crew: Crew
    ) -> Bool {
        for (position, taken) in batch.requests.enumerated() {
            var rest = batch
            rest.requests = Array(batch.requests[position...])
            let single = Batch(requests: [taken], size: taken.request.batchSize, reason: .unbatched)
            let executed = crew.watching(rest, on: instance, member) { ticket in
                execution.run(single, on: member, isWatched: ticket != nil)
            }
            guard let outcome = executed else { return false }
            noteLoss(of: single, on: member, crew.model)
            complete(single, outcome, on: member, of: crew)
        }
        return true
    }

    private func complete(
        _ batch: Batch<TakenRequest>, _ outcome: ExecutionOutcome, on member: CrewMember, of crew: Crew
    ) {
        if case .success = outcome.responses {
            let duration = outcome.stages.end &- outcome.stages.start
            pace.note(duration)
            if learns { crew.ask { $0.executed(size: batch.size, duration: duration) } }
        }
        completion.complete(
            ExecutedBatch(
                requests: batch.requests, rows: batch.size, items: batch.size, reason: batch.reason,
                leftWaiting: batch.leftWaiting),
            outcome, on: member.identity)
    }

    func giveUp(_ batch: Batch<TakenRequest>, on instance: Int, _ error: HalcyonError) {
        if let calls { return calls.giveUp(on: instance, error) }
        completion.fail(batch.requests, error, cause: .backend)
    }

    var isIdle: Bool { calls?.isIdle ?? true }

    var lossNote: String { "" }
}
