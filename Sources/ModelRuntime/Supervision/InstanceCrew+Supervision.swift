internal import Logging
internal import Scheduling
internal import Tensors
internal import Threads

/// Instances that do not come back from an execution, or go by themselves.
extension InstanceCrew {
    /// Watches the executions of this crew's instances.
    ///
    /// - Parameter limit: how long one may take, in nanoseconds; 0 for as long as it takes.
    func makeSupervisor(limit: UInt64) -> InstanceSupervisor<Machine.Work> {
        InstanceSupervisor(
            limit: limit, instances: members.map(\.identity), clock: clock, timer: timer,
            actions: InstanceSupervisor<Machine.Work>.Actions(
                giveUp: { [weak self] in self?.giveUp($0) },
                replace: { [weak self] (index) throws(HalcyonError) in try self?.replacement(of: index) ?? {} },
                replacementFailed: { [weak self] in self?.replacementFailed($0, outage: $1) }))
    }

    /// Executes something that is given up when it takes too long.
    ///
    /// - Parameter work: what whoever gives it up answers.
    /// - Returns: `nil` where it was given up meanwhile: the work is answered, and the instance goes on no more.
    func watching<Result>(
        _ work: Machine.Work, on instance: Int, _ member: CrewMember,
        _ body: (InstanceSupervisor<Machine.Work>.Watch.Ticket?) -> Result
    ) -> Result? {
        guard let supervisor else { return body(nil) }
        let ticket = supervisor.begin(work, on: instance)
        let result = body(ticket)
        if supervisor.end(ticket, on: instance) { return result }
        member.letGo()
        return nil
    }

    private var place: Logger.Metadata { ["model": "\(completion.name)", "version": "\(completion.version)"] }

    private func giveUp(_ overdue: ExecutionWatch<Machine.Work>.Overdue) {
        let member = members[overdue.instance]
        let now = clock.now()
        let lost = perform { $0.lose(instance: overdue.instance, now: now, &$1) }
        member.pass?.release()
        dismiss(overdue.instance)
        let error = HalcyonError(
            .unavailable,
            "instance '\(member.identity.name)' of model '\(completion.name)' \(overdue.reason) and is given "
                + "up\(duty.lossNote)")
        log.error("instance is given up", metadata: place.merging(["error": "\(error)"]) { $1 })
        duty.giveUp(overdue.work, on: overdue.instance, error)
        perform { $1.end(lost, error, .backend) }
    }

    // MARK: Instances that go by themselves

    /// Has the worker told when its instance goes.
    func watchLoss(of member: CrewMember, _ index: Int) {
        guard let instance = member.instance as? any LosableInstance, instance.mayBeLost else { return }
        instance.whenLost { [weak self, weak member] error in
            guard let self, let member else { return }
            // Mostly its execution ends by that. If not, nobody waits for it for long. Noted before its thread knows:
            // that may be done, and another instance in its place, before this goes on.
            supervisor?.isGoing(index, reason: error.message)
            member.lose(error)
        }
    }

    /// Gives up the instance of the calling worker, which has gone by itself, and has another made.
    func lose(_ index: Int, _ member: CrewMember, _ error: HalcyonError) {
        let now = clock.now()
        let isRemoved = ask { $0.isRemoved(index) }
        var error = error
        error.message += duty.lossNote
        perform { [error] machine, effects in
            effects.end(machine.lose(instance: index, now: now, &effects), error, .backend)
        }
        if isRemoved {
            member.pass?.leave()
            depart(index)
        } else {
            member.pass?.release()
            dismiss(index)
        }
        log.error("instance has gone", metadata: place.merging(["error": "\(error)"]) { $1 })
        if let outage = supervisor?.lost(index, reason: error.message) { perform { $0.suffer(outage, now: now, &$1) } }
        if ask(\.isDraining) { supervisor?.hurry() }
        member.letGo()
        supervisor?.threadReturned()
        changed.notify()
    }

    // MARK: Others in their place

    private func replacement(of index: Int) throws(HalcyonError) -> InstanceSupervisor<Machine.Work>.Start {
        let member: CrewMember
        do {
            member = members[index].replaced(by: try members[index].identity.make(of: model))
        } catch {
            throw HalcyonError(wrapping: error)
        }
        return { [weak self] () throws(HalcyonError) in try self?.replace(index, by: member) }
    }

    /// The worker comes first: what it would be given must not be lost again where it can't start.
    private func replace(_ index: Int, by member: CrewMember) throws(HalcyonError) {
        try startWorker(index, on: member)
        let now = clock.now()
        // One that has gone already says so itself, before or after this.
        perform { if member.loss == nil { $0.replace(instance: index, now: now, &$1) } }
        log.notice("instance is replaced", metadata: place.merging(["instance": "\(member.identity.name)"]) { $1 })
    }

    private func replacementFailed(_ error: HalcyonError, outage: Outage?) {
        log.error("instance can't be replaced", metadata: place.merging(["error": "\(error)"]) { $1 })
        let now = clock.now()
        perform { machine, effects in
            // Where the model is being stopped and nobody is left, what waits would wait for ever.
            if machine.isDraining, machine.isDeserted { effects.end(machine.abandon(), error, .rejected(.stopping)) }
            // Who waits is told so, rather than to wait for longer than it would have.
            if let outage { machine.suffer(outage, now: now, &effects) }
        }
    }
}
