internal import Logging
internal import Scheduling
internal import Tensors

extension SequenceExecutor {
    /// Watches the executions of this executor's instances.
    ///
    /// - Parameter limit: how long one may take, in nanoseconds.
    func makeSupervisor(limit: UInt64) -> InstanceSupervisor<SequenceBatch> {
        InstanceSupervisor(
            limit: limit, instances: slots.map(\.identity), clock: clock, timer: timer,
            actions: InstanceSupervisor<SequenceBatch>.Actions(
                giveUp: { [weak self] in self?.giveUp($0, limit: limit) },
                replace: { [weak self] (index) throws(HalcyonError) in try self?.replacement(of: index) ?? {} },
                replacementFailed: { [weak self] in self?.replacementFailed($0, outage: $1) }))
    }

    /// The sequences of the instance end with it, as nobody else has their states.
    private func giveUp(_ overdue: ExecutionWatch<SequenceBatch>.Overdue, limit: UInt64) {
        let slot = slots[overdue.instance]
        let (waiting, isDrained) = machine.withLock { ($0.lose(instance: overdue.instance), $0.isDrained) }
        slot.pass?.release()
        workers.withLock { $0?.removeValue(forKey: overdue.instance) }?.detach()
        let error = HalcyonError(
            .unavailable,
            "instance '\(slot.identity.name)' of model '\(name)' has not answered for \(ExecutionLimit.text(limit)) and is "
                + "given up, and its sequences have ended")
        log.error("instance is given up", metadata: ["model": "\(name)", "version": "\(version)", "error": "\(error)"])
        fail(overdue.work.requests + waiting, error, cause: .backend)
        if isDrained { drained.notify() }
    }

    private func replacement(of index: Int) throws(HalcyonError) -> InstanceSupervisor<SequenceBatch>.Start {
        let slot: InstanceSlot
        do {
            slot = slots[index].replaced(by: try slots[index].identity.make(of: model))
        } catch {
            throw HalcyonError(wrapping: error)
        }
        return { [weak self] () throws(HalcyonError) in try self?.replace(index, by: slot) }
    }

    /// The worker comes first: those who get the slots must not be lost again where it can't start.
    private func replace(_ index: Int, by slot: InstanceSlot) throws(HalcyonError) {
        try startWorker(index, on: slot)
        let now = clock.now()
        let expiry = machine.withLock { machine in
            machine.replace(instance: index, now: now)
            return machine.nextExpiry()
        }
        slot.parker.unpark()
        if let expiry { timer.arm(self, at: expiry) }
        log.notice(
            "instance is replaced",
            metadata: ["model": "\(name)", "version": "\(version)", "instance": "\(slot.identity.name)"])
    }

    private func replacementFailed(_ error: HalcyonError, outage: Outage?) {
        log.error(
            "instance can't be replaced", metadata: ["model": "\(name)", "version": "\(version)", "error": "\(error)"])
        // Where the model is being stopped and nobody is left, what waits would wait for ever.
        let (abandoned, isDrained) = machine.withLock { machine in
            (machine.isDraining && machine.isDeserted ? machine.abandon() : [], machine.isDrained)
        }
        fail(abandoned, error, cause: .rejected(.stopping))
        if let outage {
            // Who waits is told so, rather than to wait for longer than it would have.
            let now = clock.now()
            let impatient = machine.withLock { $0.suffer(outage, now: now) }
            fail(impatient, outage.error(now: now), cause: .rejected(.noInstance))
        }
        if isDrained { drained.notify() }
    }
}
