internal import Logging
internal import Scheduling
internal import Tensors
internal import Threads

/// How long an execution may take.
enum ExecutionLimit {
    /// A time in nanoseconds, in words.
    static func text(_ limit: UInt64) -> String {
        limit < 1_000_000 ? "\(limit / 1000) µs" : "\(limit / 1_000_000) ms"
    }
}

/// Notices instances that do not come back from an execution, hears of those that have gone by themselves, and has
/// others made in their place.
///
/// A thread that is stuck in an engine can't be stopped. Its batch is answered with an error, and the thread left
/// alone: should it ever come back, it finds that it was given up, and ends. As long as an instance is not replaced the
/// model counts as not ready.
final class InstanceSupervisor<Work: Sendable>: Sendable {
    typealias Watch = ExecutionWatch<Work>
    typealias Start = @Sendable () throws(HalcyonError) -> Void

    /// What the supervisor has done.
    struct Actions: Sendable {
        /// Answers a batch that is waited for no longer.
        var giveUp: @Sendable (Watch.Overdue) -> Void
        /// Makes a new instance, and returns what sets it to work. Called on a thread of its own, as engines may be
        /// slow.
        var replace: @Sendable (Int) throws(HalcyonError) -> Start
        /// An attempt to replace an instance has failed. The outage is that of all instances, if all are lost: it lasts
        /// until the next attempt to replace one; `nil` where one is under way.
        var replacementFailed: @Sendable (HalcyonError, Outage?) -> Void
    }

    private struct State {
        var watch: Watch
        var losses: InstanceLosses
        /// By number.
        var names: [String]
        /// Whether the timer calls in time for every execution.
        var isArmed = false
        var isStopped = false

        /// When there is something to do next.
        var next: Nanoseconds? { [losses.nextAttempt, watch.nextDeadline].compactMap(\.self).min() }
    }

    /// Where executions may take as long as they take: the first pause before an instance is replaced that goes soon
    /// after the one before.
    private static var firstPause: UInt64 { 1_000_000_000 }
    /// How long an execution may go on whose instance has gone.
    private static var patience: UInt64 { 5_000_000_000 }

    private let state: Locked<State>
    private let clock: any SchedulingClock
    private let timer: DeadlineTimer
    private let actions: Actions

    /// - Parameter limit: how long an execution may take, in nanoseconds; 0 for as long as it takes.
    init(
        limit: UInt64, instances: [InstanceIdentity], clock: any SchedulingClock, timer: DeadlineTimer,
        actions: Actions
    ) {
        self.clock = clock
        self.timer = timer
        self.actions = actions
        state = Locked(
            State(
                watch: Watch(limit: limit == 0 ? .never : limit),
                losses: InstanceLosses(
                    limit: limit == 0 ? Self.firstPause : limit, instanceCount: instances.count),
                names: instances.map(\.name)))
    }

    /// Why the model is not ready, if it is not.
    var complaint: String? { state.withLock { $0.losses.complaint } }

    /// There are more instances, with the next numbers.
    func add(_ instances: [InstanceIdentity]) { state.withLock { $0.names += instances.map(\.name) } }

    /// An instance is not wanted any more: if it was lost, nobody misses it.
    func remove(_ instance: Int) { state.withLock { $0.losses.remove(instance) } }

    func begin(_ work: Work, on instance: Int) -> Watch.Ticket {
        let now = clock.now()
        let (ticket, deadline) = state.withLock { state -> (Watch.Ticket, UInt64?) in
            let ticket = state.watch.begin(work, on: instance, now: now)
            // Where an instance is lost, the timer may be set for its next attempt, which can be much later.
            guard !state.isArmed || !state.losses.isEmpty, !state.isStopped, let next = state.watch.nextDeadline else {
                return (ticket, nil)
            }
            state.isArmed = true
            return (ticket, next)
        }
        if let deadline { timer.arm(self, at: deadline) }
        return ticket
    }

    /// - Returns: whether the instance goes on: if not, it was given up, its batch has been answered, and its thread is
    ///   to end.
    func end(_ ticket: Watch.Ticket, on instance: Int) -> Bool {
        let now = clock.now()
        let (goesOn, isDue) = state.withLock { state in
            if state.watch.end(ticket, on: instance) { return (true, false) }
            return (false, Self.threadReturned(&state, now: now))
        }
        if isDue { timer.arm(self, at: now) }
        return goesOn
    }

    /// A thread that took an instance apart has done so.
    func threadReturned() {
        let now = clock.now()
        if state.withLock({ Self.threadReturned(&$0, now: now) }) { timer.arm(self, at: now) }
    }

    private static func threadReturned(_ state: inout State, now: UInt64) -> Bool {
        guard state.losses.threadReturned(now: now), !state.isStopped else { return false }
        state.isArmed = true
        return true
    }

    /// An instance has gone by itself, and its thread is about to take it apart.
    ///
    /// - Returns: how long no instance may be there at all; `nil` where that is not for long.
    func lost(_ instance: Int, reason: String) -> Outage? {
        let now = clock.now()
        let (next, outage) = state.withLock { state -> (Nanoseconds?, Outage?) in
            let outage = state.losses.end(instance, reason: reason, now: now)
            guard !state.isStopped else { return (nil, nil) }
            state.isArmed = true
            return (state.losses.nextAttempt, outage)
        }
        if let next { timer.arm(self, at: next) }
        return outage
    }

    /// An instance has gone by itself: what it executes, if anything, is waited for for a few seconds more.
    func isGoing(_ instance: Int, reason: String) {
        let deadline = clock.now().adding(Self.patience)
        let next = state.withLock { state -> UInt64? in
            state.losses.note(instance, reason: reason)
            state.watch.shorten(instance, until: deadline, "has gone in the middle of an execution (\(reason))")
            guard !state.isStopped, let next = state.watch.nextDeadline else { return nil }
            state.isArmed = true
            return next
        }
        if let next { timer.arm(self, at: next) }
    }

    /// Whether an execution waits for others, which does not count.
    func pause(_ ticket: Watch.Ticket, on instance: Int, isWaiting: Bool) {
        let now = clock.now()
        let deadline = state.withLock { state -> UInt64? in
            guard !isWaiting else {
                state.watch.pause(ticket, on: instance)
                return nil
            }
            state.watch.resume(ticket, on: instance, now: now)
            guard !state.isStopped, let next = state.watch.nextDeadline else { return nil }
            state.isArmed = true
            return next
        }
        if let deadline { timer.arm(self, at: deadline) }
    }

    /// Has what was lost replaced now, and not at the end of a pause: somebody waits for it to run what is left.
    func hurry() {
        let now = clock.now()
        let isDue = state.withLock { state in
            guard state.losses.hurry(now: now), !state.isStopped else { return false }
            state.isArmed = true
            return true
        }
        if isDue { timer.arm(self, at: now) }
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        timer.disarm(self)
    }

    /// Attempts what is due, each on a thread of its own.
    private func replace(_ instance: Int) {
        do {
            try WorkerThread.detach(name: "replace") { [self] in
                do throws(HalcyonError) {
                    try setToWork(instance, try actions.replace(instance))
                } catch {
                    failed(instance, error)
                }
            }
        } catch {
            failed(instance, error)
        }
    }

    private func setToWork(_ instance: Int, _ start: Start) throws(HalcyonError) {
        let now = clock.now()
        let pending = state.withLock { $0.losses.beginWork(instance, now: now) }
        do {
            try start()
        } catch {
            state.withLock { $0.losses.workFailed(instance, pending) }
            throw error
        }
    }

    private func failed(_ instance: Int, _ error: HalcyonError, isHeldBack: Bool = false) {
        let now = clock.now()
        let failure = state.withLock { state -> (next: Nanoseconds, outage: Outage?)? in
            guard !state.isStopped else { return nil }
            let reason = "instance '\(state.names[instance])' can't be replaced: \(error.message)"
            let failure = state.losses.attemptFailed(instance, reason: reason, isHeldBack: isHeldBack, now: now)
            if failure != nil { state.isArmed = true }
            return failure
        }
        if let failure { timer.arm(self, at: failure.next) }
        actions.replacementFailed(error, failure?.outage)
    }

    private static var tooManyStuck: HalcyonError {
        HalcyonError(.unavailable, "too many threads hang in the engine; another is made when one of them comes back")
    }
}

extension InstanceSupervisor: DeadlineTimer.Target {
    func deadlinePassed(now: UInt64) -> UInt64? {
        let overdue = state.withLock { state -> [Watch.Overdue] in
            guard !state.isStopped else { return [] }
            let overdue = state.watch.giveUp(now: now)
            for each in overdue {
                state.losses.lose(
                    each.instance,
                    reason: "instance '\(state.names[each.instance])' \(each.reason)", now: now)
            }
            return overdue
        }
        for each in overdue { actions.giveUp(each) }
        // Whoever stops does not want to hear of executions that still run, and would be called for them again and
        // again.
        let (due, next) = state.withLock { state -> ([InstanceLosses.Due], Nanoseconds?) in
            guard !state.isStopped else { return ([], nil) }
            let due = state.losses.takeDue(now: now)
            let next = state.next
            state.isArmed = next != nil
            return (due, next)
        }
        for each in due {
            if each.mayReplace {
                replace(each.instance)
            } else {
                failed(each.instance, Self.tooManyStuck, isHeldBack: true)
            }
        }
        return next
    }
}
