internal import Logging
internal import Scheduling
internal import Tensors

/// How long an execution may take.
enum ExecutionLimit {
    /// A time in nanoseconds, in words.
    static func text(_ limit: UInt64) -> String {
        limit < 1_000_000 ? "\(limit / 1000) µs" : "\(limit / 1_000_000) ms"
    }
}

/// Notices instances that do not come back from an execution, and has others made in their place.
///
/// A thread that is stuck in an engine can't be stopped. Its batch is answered with an error, and the thread left alone:
/// should it ever come back, it finds that it was given up, and ends. As long as an instance is not replaced the model
/// counts as not ready.
final class InstanceSupervisor<Work: Sendable>: Sendable {
    typealias Watch = ExecutionWatch<Work>
    typealias Start = @Sendable () throws(HalcyonError) -> Void

    /// What the supervisor has done.
    struct Actions: Sendable {
        /// Answers a batch that is waited for no longer.
        var giveUp: @Sendable (Watch.Overdue) -> Void
        /// Makes a new instance, and returns what sets it to work. Called on a thread of its own, as engines may be slow.
        var replace: @Sendable (Int) throws(HalcyonError) -> Start
        /// An attempt to replace an instance has failed. The outage is that of all instances, if all are lost: it lasts until
        /// the next attempt to replace one; `nil` where one is under way.
        var replacementFailed: @Sendable (HalcyonError, Outage?) -> Void
    }

    private struct Loss {
        /// `nil` while an attempt to replace it is under way.
        var nextAttempt: UInt64?
        var attempts = 0
        /// Whether it is not replaced because too many threads are stuck.
        var isHeldBack = false
        var reason: String
    }

    private struct State {
        var watch: Watch
        var instances: [InstanceIdentity]
        var lost: [Int: Loss] = [:]
        /// Those that are not to be replaced.
        var removed: Set<Int> = []
        /// Threads that are stuck in an engine.
        var stuckCount = 0
        var isArmed = false
        var isStopped = false
    }

    /// The longest pause between two attempts to replace an instance, in nanoseconds.
    private static var longestPause: UInt64 { 60_000_000_000 }

    private let limit: UInt64
    /// Stuck threads that are put up with at once: each keeps its memory.
    private let stuckLimit: Int
    /// Attempts after which one more is put up with: an engine that never comes back must not be the end of the model.
    private static var attemptsHeldBack: Int { 3 }
    /// Stuck threads that are put up with at all.
    private static var stuckMaximum: Int { 64 }
    private let state: Locked<State>
    private let clock: any SchedulingClock
    private let timer: DeadlineTimer
    private let actions: Actions

    /// - Parameter limit: how long an execution may take, in nanoseconds.
    init(
        limit: UInt64, instances: [InstanceIdentity], clock: any SchedulingClock, timer: DeadlineTimer,
        actions: Actions
    ) {
        self.limit = limit
        stuckLimit = max(4, instances.count)
        self.clock = clock
        self.timer = timer
        self.actions = actions
        state = Locked(State(watch: Watch(limit: limit), instances: instances))
    }

    /// Why the model is not ready, if it is not.
    var complaint: String? {
        state.withLock { $0.lost.sorted { $0.key < $1.key }.first?.value.reason }
    }

    /// There are more instances, with the next numbers.
    func add(_ instances: [InstanceIdentity]) { state.withLock { $0.instances += instances } }

    /// An instance is not wanted any more: if it was lost, nobody misses it.
    func remove(_ instance: Int) {
        state.withLock { state in
            state.removed.insert(instance)
            state.lost[instance] = nil
        }
    }

    func begin(_ work: Work, on instance: Int) -> Watch.Ticket {
        let now = clock.now()
        let (ticket, deadline) = state.withLock { state -> (Watch.Ticket, UInt64?) in
            let ticket = state.watch.begin(work, on: instance, now: now)
            // Where an instance is lost, the timer may be set for its next attempt, which can be much later.
            guard !state.isArmed || !state.lost.isEmpty, !state.isStopped, let next = state.watch.nextDeadline else {
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
            state.stuckCount -= 1
            // Its thread makes room for another.
            let heldBack = state.lost.filter { $0.value.isHeldBack && $0.value.nextAttempt != nil }.keys
            for instance in heldBack { state.lost[instance]?.nextAttempt = now }
            guard !state.isStopped, !heldBack.isEmpty else { return (false, false) }
            state.isArmed = true
            return (false, true)
        }
        if isDue { timer.arm(self, at: now) }
        return goesOn
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
            let pausing = state.lost.filter { $0.value.nextAttempt != nil }.keys
            for instance in pausing { state.lost[instance]?.nextAttempt = now }
            guard !state.isStopped, !pausing.isEmpty else { return false }
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

    /// The loss is forgotten before the new instance works, as that one can hang as well.
    private func setToWork(_ instance: Int, _ start: Start) throws(HalcyonError) {
        let loss = state.withLock { $0.lost.removeValue(forKey: instance) }
        do {
            try start()
        } catch {
            state.withLock { $0.lost[instance] = loss }
            throw error
        }
    }

    /// - Parameter isHeldBack: whether none was made because too many threads are stuck.
    private func failed(_ instance: Int, _ error: HalcyonError, isHeldBack: Bool = false) {
        let now = clock.now()
        let (next, outage) = state.withLock { state -> (UInt64?, Outage?) in
            guard var loss = state.lost[instance], !state.isStopped else { return (nil, nil) }
            let (pause, overflow) = limit.multipliedReportingOverflow(by: 1 << min(loss.attempts, 16))
            let next = now &+ (overflow ? Self.longestPause : min(pause, Self.longestPause))
            loss.attempts += 1
            loss.nextAttempt = next
            loss.isHeldBack = isHeldBack
            loss.reason = "instance '\(state.instances[instance].name)' can't be replaced: \(error.message)"
            state.lost[instance] = loss
            state.isArmed = true
            let attempts = state.lost.values.map(\.nextAttempt)
            let end = attempts.contains(nil) ? nil : attempts.compactMap(\.self).min()
            return (next, end.map { Outage(end: $0, reason: loss.reason) })
        }
        if let next { timer.arm(self, at: next) }
        actions.replacementFailed(error, outage)
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
                state.stuckCount += 1
                guard !state.removed.contains(each.instance) else { continue }
                state.lost[each.instance] = Loss(
                    nextAttempt: now,
                    reason:
                        "instance '\(state.instances[each.instance].name)' has not answered for \(ExecutionLimit.text(limit))"
                )
            }
            return overdue
        }
        for each in overdue { actions.giveUp(each) }
        // Whoever stops does not want to hear of executions that still run, and would be called for them again and again.
        let (due, next) = state.withLock { state -> ([(instance: Int, mayReplace: Bool)], UInt64?) in
            guard !state.isStopped else { return ([], nil) }
            let lost = state.lost.filter { ($0.value.nextAttempt ?? .max) <= now }.sorted { $0.key < $1.key }
            let due = lost.map { instance, loss in
                let isPatient = loss.attempts >= Self.attemptsHeldBack && state.stuckCount < Self.stuckMaximum
                return (instance: instance, mayReplace: state.stuckCount <= stuckLimit || isPatient)
            }
            for (instance, _) in due { state.lost[instance]?.nextAttempt = nil }
            let next = (state.lost.values.compactMap(\.nextAttempt) + [state.watch.nextDeadline].compactMap(\.self))
                .min()
            state.isArmed = next != nil
            return (due, next)
        }
        for (instance, mayReplace) in due {
            if mayReplace { replace(instance) } else { failed(instance, Self.tooManyStuck, isHeldBack: true) }
        }
        return next
    }
}
