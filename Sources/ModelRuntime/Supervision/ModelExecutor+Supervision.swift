internal import Logging
internal import ModelConfiguration
internal import Scheduling
internal import Tensors

extension ModelExecutor {
    /// Watches the executions of this executor's instances.
    ///
    /// - Parameter limit: how long one may take, in nanoseconds.
    func makeSupervisor(limit: UInt64) -> InstanceSupervisor<Batch> {
        InstanceSupervisor(
            limit: limit, instances: slots.map(\.identity), clock: clock, timer: timer,
            actions: InstanceSupervisor<Batch>.Actions(
                giveUp: { [weak self] in self?.giveUp($0, limit: limit) },
                replace: { [weak self] (index) throws(HalcyonError) in try self?.replacement(of: index) ?? {} },
                replacementFailed: { [weak self] in self?.replacementFailed($0, outage: $1) }))
    }

    private func giveUp(_ overdue: ExecutionWatch<Batch>.Overdue, limit: UInt64) {
        let slot = slots[overdue.instance]
        machine.withLock { $0.lose(instance: overdue.instance) }
        slot.pass?.release()
        workers.withLock { $0?.removeValue(forKey: overdue.instance) }?.detach()
        let error = HalcyonError(
            .unavailable,
            "instance '\(slot.identity.name)' of model '\(name)' has not answered for "
                + "\(ExecutionLimit.text(limit)) and is given up")
        log.error("instance is given up", metadata: ["model": "\(name)", "version": "\(version)", "error": "\(error)"])
        if configuration.isDecoupled {
            // Where the model has ended the request before, nobody is told anything.
            runningCalls.withLock { $0.removeValue(forKey: overdue.instance) }?.end(error)
        } else {
            fail(overdue.work.requests, error, cause: .backend)
        }
        if machine.withLock({ $0.isDrained }) { drained.notify() }
    }

    private func replacement(of index: Int) throws(HalcyonError) -> InstanceSupervisor<Batch>.Start {
        let slot: InstanceSlot
        do {
            slot = slots[index].replaced(by: try slots[index].identity.make(of: model))
        } catch {
            throw HalcyonError(wrapping: error)
        }
        return { [weak self] () throws(HalcyonError) in try self?.replace(index, by: slot) }
    }

    private func replace(_ index: Int, by slot: InstanceSlot) throws(HalcyonError) {
        machine.withLock { $0.replace(instance: index) }
        do {
            try startWorker(index, on: slot)
        } catch {
            machine.withLock { $0.lose(instance: index) }
            throw error
        }
        log.notice(
            "instance is replaced",
            metadata: ["model": "\(name)", "version": "\(version)", "instance": "\(slot.identity.name)"])
    }

    private func replacementFailed(_ error: HalcyonError, outage: Outage?) {
        log.error(
            "instance can't be replaced", metadata: ["model": "\(name)", "version": "\(version)", "error": "\(error)"])
        // Where the model is being stopped and nobody is left, what waits would wait for ever.
        let abandoned = machine.withLock { machine in
            machine.isDraining && machine.isDeserted ? machine.abandon() : []
        }
        fail(abandoned, error, cause: .rejected(.stopping))
        if let outage {
            // Who waits is told so, rather than to wait for longer than it would have.
            let now = clock.now()
            let impatient = machine.withLock { $0.suffer(outage, now: now) }
            fail(impatient, outage.error(now: now), cause: .rejected(.noInstance))
        }
        if machine.withLock({ $0.isDrained }) { drained.notify() }
    }
}
