internal import Logging
internal import Scheduling
internal import Tensors

/// The scheduler of a model with sequences, with the requests that it knows by number.
struct SequencingMachine: CrewMachine {
    typealias Work = SequenceBatch<TakenRequest>
    typealias Duty = SequenceDuty

    private var scheduler: SequenceMachine
    private var requests = RequestTable<PendingRequest>()

    init(options: SequenceOptions) { scheduler = SequenceMachine(options: options) }

    // MARK: Requests

    /// Takes in a request.
    ///
    /// - Parameter sequenced: what the scheduler is to know of it; its number is given in here.
    mutating func enqueue(
        _ request: PendingRequest, _ sequenced: SequencedRequest, _ effects: inout Effects
    ) -> Result<SequenceHandle, Refusal> {
        var sequenced = sequenced
        if scheduler.options.isIterative, sequenced.correlation.isAbsent {
            sequenced.correlation = scheduler.freshCorrelation()
            sequenced.start = true
        }
        sequenced.id = requests.add(request)
        do throws(HalcyonError) {
            let enqueued = try scheduler.enqueue(sequenced, now: sequenced.enqueueTime)
            effects.wake(enqueued.wake)
            if enqueued.restarted {
                effects.note(
                    .warning, "sequence restarted before its end", sequence: sequenced.correlation.description)
            }
            return .success(enqueued.handle)
        } catch {
            _ = requests.remove(sequenced.id)
            return .failure(Refusal(error, isDraining: scheduler.isDraining))
        }
    }

    /// Takes out a request whose caller has gone, if it still waits, with those of its sequence that came after it.
    mutating func cancel(_ handle: SequenceHandle, now: UInt64, _ effects: inout Effects) -> [TakenRequest] {
        let (cancelled, wake) = scheduler.cancel(handle, now: now)
        effects.wake(wake)
        return take(cancelled)
    }

    /// A batch has run, or failed.
    ///
    /// - Parameter putBack: the requests of it that the model goes on with later, by the slot of their row.
    /// - Returns: those of them that can not be gone on with.
    @discardableResult
    mutating func completed(
        _ batch: Work, putBack: [(slot: Int, request: TakenRequest)] = [], now: UInt64
    ) -> [TakenRequest] {
        var refused: [TakenRequest] = []
        for (slot, taken) in putBack {
            let id = requests.add(taken.request)
            if scheduler.resume(slot: slot, instance: batch.instance, as: id) { continue }
            _ = requests.remove(id)
            refused.append(taken)
        }
        let slots = batch.rows.compactMap { $0.request == nil ? nil : $0.slot }
        scheduler.completed(slots: slots, instance: batch.instance, now: now)
        return refused
    }

    private mutating func take(_ sequenced: SequencedRequest) -> TakenRequest? {
        let turn = sequenced.turn.flatMap { number in
            sequenced.instance.map { ResponseTurn(lane: $0, number: number) }
        }
        return requests.remove(sequenced.id).map { TakenRequest(request: $0, turn: turn) }
    }

    private mutating func take(_ sequenced: [SequencedRequest]) -> [TakenRequest] { sequenced.compactMap { take($0) } }

    private mutating func take(_ batch: SequenceBatch<SequencedRequest>) -> Work {
        var rows: [Work.Row] = []
        rows.reserveCapacity(batch.rows.count)
        for row in batch.rows {
            let request = row.request.flatMap { take($0) }
            rows.append(Work.Row(slot: row.slot, control: row.control, request: request))
        }
        return Work(instance: batch.instance, rows: rows, reason: batch.reason)
    }

    // MARK: Workers

    mutating func next(
        instance: Int, now: UInt64, _ effects: inout Effects
    ) -> (step: WorkerStep<Work>, ended: [Int]) {
        let action = scheduler.nextBatch(instance: instance, now: now)
        let ended = scheduler.takeEnded(instance: instance)
        switch action {
        case .run(let batch): return (.run(take(batch)), ended)
        case .hold(let until): return (.hold(until: until), ended)
        case .park: return (.park, ended)
        case .exit: return (.end, ended)
        }
    }

    mutating func hasWork(instance: Int, now: UInt64) -> Bool { scheduler.hasBatch(instance: instance, now: now) }

    /// What waits is this instance's own: no other has its sequences.
    mutating func block(instance: Int, now: UInt64, _ effects: inout Effects) {}

    func isIdleForGood(instance: Int) -> Bool { scheduler.isDrained || scheduler.mayExit(instance) }

    // MARK: Instances

    var activeInstances: [Int] { scheduler.instanceNumbers.filter { !scheduler.isRemoved($0) } }
    var activeCount: Int { scheduler.activeCount }

    /// Those in the backlog get the new slots.
    mutating func add(count: Int, now: UInt64, _ effects: inout Effects) -> Range<Int> {
        scheduler.add(count: count, now: now)
    }

    /// The sequences of an instance that is to go end on it.
    mutating func remove(instance: Int, now: UInt64, _ effects: inout Effects) -> Bool {
        effects.wake(instance)
        return scheduler.remove(instance: instance)
    }

    func isRemoved(_ instance: Int) -> Bool { scheduler.isRemoved(instance) }

    /// The sequences of the instance end with it, as nobody else has their states.
    mutating func lose(instance: Int, now: UInt64, _ effects: inout Effects) -> [TakenRequest] {
        take(scheduler.lose(instance: instance))
    }

    /// Whether a batch only begins sequences, and its instance has no others: nothing of them can be lost.
    func onlyBegins(_ batch: Work) -> Bool {
        let rows = batch.rows.filter { $0.request != nil }
        return rows.allSatisfy { $0.control.start } && scheduler.sequenceCount(of: batch.instance) == rows.count
    }

    mutating func replace(instance: Int, now: UInt64, _ effects: inout Effects) {
        scheduler.replace(instance: instance, now: now)
        effects.wake(instance)
    }

    mutating func suffer(_ outage: Outage, now: UInt64, _ effects: inout Effects) {
        effects.end(take(scheduler.suffer(outage, now: now)), outage.error(now: now), .rejected(.noInstance))
    }

    // MARK: Time and stopping

    mutating func nextExpiry() -> UInt64? { scheduler.nextExpiry() }

    mutating func expire(now: UInt64, _ effects: inout Effects) {
        let expired = scheduler.expire(now: now)
        for wake in expired.wakes { effects.wake(wake) }
        for sequence in expired.idle {
            effects.note(.info, "sequence ended, as it was idle", sequence: sequence.description)
        }
        effects.end(take(expired.timedOut), .sequenceTimedOut, .rejected(.timeout))
    }

    mutating func drain() { scheduler.drain() }

    mutating func abandon() -> [TakenRequest] { take(scheduler.abandon()) }

    var isDraining: Bool { scheduler.isDraining }
    var isDeserted: Bool { scheduler.isDeserted }
    var isDrained: Bool { scheduler.isDrained }
    var waitingCount: Int { scheduler.waitingCount }
    var busyCount: Int { scheduler.busyCount }
}
