internal import Logging
internal import Scheduling
internal import Synchronization
internal import Tensors
internal import Threads

/// The instances of one model version and their workers: a machine that decides, with a lock, threads and a clock
/// around it.
///
/// Every event goes one way, ``perform(_:)``: take the lock, ask the machine, release the lock, do what it said.
final class InstanceCrew<Machine: CrewMachine>: Sendable {
    private struct State {
        var machine: Machine
        /// When the timer calls at the latest; the maximum for not at all.
        var armed = UInt64.max
    }

    private struct Roster {
        /// By instance; `nil` when they have been ended.
        var workers: [Int: WorkerThread]? = [:]
        /// The instances that were removed and are gone.
        var departed: Set<Int> = []
    }

    let model: any BackendModel
    let resources: ResourceGate?
    let clock: any SchedulingClock
    let timer: DeadlineTimer
    let log: Logger
    let members: MemberTable
    let duty: Machine.Duty
    /// Told when something may have become true that somebody waits for.
    let changed: Signal
    /// Whether no instance shares resources, and none runs where a host policy says: then any thread may stand in for a
    /// worker.
    let isFree: Atomic<Bool>
    /// Set before the first worker starts; `nil` where executions may take as long as they take and no instance goes by
    /// itself.
    nonisolated(unsafe) private(set) var supervisor: InstanceSupervisor<Machine.Work>?
    private let state: Locked<State>
    private let roster = Locked(Roster())

    /// Sets the instances to work.
    ///
    /// - Parameter changed: which whoever answers requests later tells when there are none left.
    /// - Throws: `internal` where the system refuses a thread.
    init(
        _ parts: ModelExecutor.Parts, _ members: MemberTable, _ machine: Machine, _ duty: Machine.Duty,
        changed: Signal = Signal()
    ) throws(HalcyonError) {
        model = parts.model
        resources = parts.environment.resources
        clock = parts.environment.clock
        timer = parts.environment.timer
        log = parts.environment.log
        self.members = members
        self.duty = duty
        self.changed = changed
        isFree = Atomic(members.allSatisfy(\.isFree))
        state = Locked(State(machine: machine))
        let mayBeLost = members.contains { ($0.instance as? any LosableInstance)?.mayBeLost == true }
        if parts.environment.executionTimeout > 0 || mayBeLost {
            supervisor = makeSupervisor(limit: parts.environment.executionTimeout)
        }
        do throws(HalcyonError) {
            for index in members.indices { try startWorker(index, on: members[index]) }
        } catch {
            stop(deadline: nil)
            throw error
        }
    }

    var completion: Completion { duty.completion }

    // MARK: Events

    /// Tells the machine of an event, and does what it says.
    @discardableResult
    func perform<Result>(_ event: (inout Machine, inout Effects) -> Result) -> Result {
        let (result, effects) = state.withLock { state in
            var effects = Effects()
            let result = event(&state.machine, &effects)
            Self.settle(&state, &effects)
            return (result, effects)
        }
        if let expiry = effects.expiry { timer.arm(self, at: expiry) }
        act(effects)
        return result
    }

    private static func settle(_ state: inout State, _ effects: inout Effects) {
        if let expiry = state.machine.nextExpiry(), expiry < state.armed {
            state.armed = expiry
            effects.expiry = expiry
        }
        effects.isDrained = state.machine.isDrained
    }

    private func act(_ effects: Effects) {
        if let wake = effects.wake { members[wake].parker.unpark() }
        for wake in effects.furtherWakes { members[wake].parker.unpark() }
        for note in effects.notes {
            log.log(
                level: note.level, "\(note.text)",
                metadata: ["model": "\(completion.name)", "sequence": "\(note.sequence)"])
        }
        for ending in effects.endings { completion.fail(ending.requests, ending.error, cause: ending.cause) }
        if effects.isDrained { changed.notify() }
    }

    /// Asks the machine something that changes nothing for anybody.
    func ask<Result>(_ question: (inout Machine) -> Result) -> Result { state.withLock { question(&$0.machine) } }

    // MARK: Workers

    /// Sets an instance to work. A worker that starts when they have been ended looks after itself.
    func startWorker(_ index: Int, on member: CrewMember) throws(HalcyonError) {
        watchLoss(of: member, index)
        // Under the lock, as it may be dismissed at once.
        try roster.withLock { roster throws(HalcyonError) in
            let worker = try WorkerThread(name: member.identity.name, policy: member.identity.hostPolicy) { [self] in
                work(index, on: member)
            }
            if roster.workers == nil { worker.detach() } else { roster.workers?[index] = worker }
        }
    }

    private func work(_ index: Int, on member: CrewMember) {
        var memory = duty.makeMemory()
        while true {
            if let loss = member.loss { return lose(index, member, loss) }
            if let pass = member.pass, !pass.request() { waitForResources(index, member, pass) }
            let now = clock.now()
            let (step, ended) = perform { $0.next(instance: index, now: now, &$1) }
            if !ended.isEmpty { duty.forget(ended, &memory) }
            switch step {
            case .run(let work):
                guard duty.run(work, on: index, member, &memory, of: self) else { return }
                if let pass = member.pass {
                    pass.executed(hasMore: ask { $0.hasWork(instance: index, now: clock.now()) })
                }
            case .hold(let until):
                member.pass?.release(hasExecuted: false)
                clock.park(member.parker, until: until)
            case .park:
                member.pass?.release(hasExecuted: false)
                clock.park(member.parker, until: nil)
            case .end: return leave(index, member)
            }
        }
    }

    /// Sleeps until the instance has what it needs, or until there is nothing more that it could need it for.
    private func waitForResources(_ index: Int, _ member: CrewMember, _ pass: ResourceGate.Pass) {
        let now = clock.now()
        perform { $0.block(instance: index, now: now, &$1) }
        while !ask({ $0.isIdleForGood(instance: index) }), member.loss == nil, !pass.request() {
            clock.park(member.parker, until: nil)
        }
    }

    private func leave(_ index: Int, _ member: CrewMember) {
        member.pass?.leave()
        // By the thread that had it, and not by the last who has asked the model something: taking an instance apart
        // may take long, and may wait for threads of its engine's.
        member.letGo()
        if ask({ $0.isRemoved(index) }) {
            // Who stops the model waits for those that are left.
            depart(index)
        }
        changed.notify()
    }

    /// The worker of an instance that was removed ends.
    func depart(_ index: Int) {
        dismiss(index)
        roster.withLock { _ = $0.departed.insert(index) }
    }

    /// Nobody waits for that worker any more.
    func dismiss(_ index: Int) {
        roster.withLock { $0.workers?.removeValue(forKey: index) }?.detach()
    }

    /// Whether those instances were removed and are gone.
    func haveDeparted(_ instances: [Int]) -> Bool { roster.withLock { $0.departed.isSuperset(of: instances) } }

    // MARK: Stopping

    /// As ``RequestExecutor/stop(deadline:)``.
    @discardableResult
    func stop(deadline: UInt64?) -> Int {
        perform { machine, _ in machine.drain() }
        supervisor?.hurry()
        for member in members { member.parker.unpark() }
        let isDrained = changed.wait(until: deadline, clock: clock) { self.ask(\.isDrained) && self.duty.isIdle }
        supervisor?.stop()
        let abandoned = ask { $0.abandon() }
        for member in members { member.parker.unpark() }
        changed.notify()
        completion.fail(
            abandoned,
            HalcyonError(.unavailable, "model '\(completion.name)' was stopped before the request could run"),
            cause: .rejected(.stopping))
        timer.disarm(self)
        let workers = roster.withLock { $0.workers.take() ?? [:] }.values
        if isDrained {
            for worker in workers { worker.join() }
            // Those of instances that were given up and not replaced, and of workers that never started.
            for member in members { member.pass?.leave() }
        } else {
            for worker in workers { worker.detach() }
            log.warning(
                "stopped with an execution still running",
                metadata: [
                    "model": "\(completion.name)", "version": "\(completion.version)", "dropped": "\(abandoned.count)",
                ])
        }
        return abandoned.count
    }
}

extension InstanceCrew: DeadlineTimer.Target {
    func deadlinePassed(now: UInt64) -> UInt64? {
        let effects = state.withLock { state in
            var effects = Effects()
            state.armed = .max
            state.machine.expire(now: now, &effects)
            Self.settle(&state, &effects)
            return effects
        }
        act(effects)
        return effects.expiry
    }
}
