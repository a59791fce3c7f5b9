internal import Scheduling
internal import Synchronization
internal import Tensors
internal import Threads

/// The way of a batch of sequences to an instance that takes requests as they came: each row is a request of its own,
/// with its controls and states as further inputs.
struct SequenceHanding: Sendable {
    let execution: SequenceExecution
    let calls: RequestCalls

    /// Rows that have not ended.
    private final class Open: Sendable {
        let count: Atomic<Int>
        init(_ count: Int) { self.count = Atomic(count) }
    }

    /// Hands a batch over, and waits until each of its requests has ended, or been put back: the next ones of their
    /// sequences come after them.
    ///
    /// - Returns: the requests that were put back and have not ended, by the slot of their row.
    func run(
        _ batch: SequenceExecution.Rows, on member: CrewMember, states: inout SequenceExecution.States,
        _ begun: ([HandedRequest]) -> Void
    ) -> [(slot: Int, request: TakenRequest)] {
        let changed = Signal()
        let open = Open(batch.rows.count)
        let ended: @Sendable () -> Void = {
            if open.count.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { changed.notify() }
        }
        let rows: [HandedRequest.Row]
        do throws(HalcyonError) {
            rows = try execution.furtherInputs(of: batch, states).enumerated().map { index, further in
                var row = HandedRequest.Row(
                    further: further, isBlank: batch.rows[index].request == nil, ended: ended)
                if execution.isIterative { row.sequence = InferenceSequence(batch.rows[index].control) }
                return row
            }
        } catch {
            calls.completion.fail(batch.requests, error, cause: .backend)
            return []
        }
        hand(batch, rows, to: member, begun)
        _ = changed.wait(until: nil, clock: calls.completion.clock) { open.count.load(ordering: .acquiring) <= 0 }
        var putBack: [(slot: Int, request: TakenRequest)] = []
        for (row, own) in zip(batch.rows, rows) {
            guard let request = row.request else { continue }
            execution.remember(own.kept.withLock { $0 }, of: row, in: &states)
            if own.isPutBack.withLock({ $0 }), !request.request.hasEnded { putBack.append((row.slot, request)) }
        }
        return putBack
    }

    /// Whoever waits keeps no request alive: one that the backend forgets ends when it goes.
    private func hand(
        _ batch: SequenceExecution.Rows, _ rows: [HandedRequest.Row], to member: CrewMember,
        _ begun: ([HandedRequest]) -> Void
    ) {
        guard let template = batch.requests.first else { return }
        let requests = zip(batch.rows, rows).map { row, own in
            calls.callBegan()
            return HandedRequest(
                row.request ?? template.blank, reason: batch.reason, of: calls, on: member.identity, row: own)
        }
        begun(requests)
        do {
            guard let taker = member.instance as? any RequestTakingInstance else {
                throw HalcyonError(.internal, "instance '\(member.identity.name)' does not take requests one by one")
            }
            try taker.execute(requests, BatchStatisticsSink(calls.completion.statistics))
        } catch {
            for request in requests { request.fail(HalcyonError(wrapping: error)) }
        }
    }
}

extension InferenceSequence {
    /// As the model is told of a row.
    fileprivate init(_ control: SequenceControl) {
        let id: ID =
            switch control.correlation {
            case .number(let number): .number(number)
            case .text(let text): .text(text)
            }
        self.init(id: id, isStart: control.start, isEnd: control.end)
    }
}

extension TakenRequest {
    /// A request of the same inputs that nobody waits for.
    fileprivate var blank: TakenRequest { TakenRequest(request: request.blank, turn: nil) }
}
