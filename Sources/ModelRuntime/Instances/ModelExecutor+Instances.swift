internal import Logging
package import ModelConfiguration
internal import Scheduling
package import Tensors

extension ModelExecutor: AdjustableExecutor {
    package func change(
        to instances: [InstanceIdentity], _ configuration: ModelConfiguration, warmUp plan: WarmUpPlan?
    ) throws(HalcyonError) -> InstanceChange? {
        guard instances.contains(where: { $0.gpu != nil }) == isOnGPU else { return nil }
        let numbers = machine.withLock { machine in machine.instances.indices.filter { !machine.isRemoved($0) } }
        let difference = InstanceDifference(
            numbers.map { ($0, slots[$0]) }, wanted: instances, configuration, nextNumber: slots.count,
            sharesResources: resources != nil)
        guard difference.lacking.count <= slots.left else { return nil }
        let change: InstanceChange
        do {
            change = InstanceChange(
                fresh: try InstanceSlot.make(difference.lacking, of: model, configuration, sharing: resources),
                leaving: difference.leaving)
        } catch {
            throw HalcyonError(wrapping: error)
        }
        do throws(HalcyonError) {
            try Self.checkDecoupling(change.fresh, configuration)
            if let plan, !change.fresh.isEmpty { _ = try warmUp(plan, on: change.fresh) }
        } catch {
            change.discard()
            throw error
        }
        return change
    }

    package func apply(_ change: InstanceChange) throws(HalcyonError) {
        if !change.fresh.allSatisfy(\.isFree) { setFree(false) }
        slots.append(change.fresh)
        supervisor?.add(change.fresh.map(\.identity))
        let numbers = machine.withLock { $0.add(count: change.fresh.count) }
        do throws(HalcyonError) {
            for (number, slot) in zip(numbers, change.fresh) { try startWorker(number, on: slot) }
        } catch {
            remove(Array(numbers))
            change.discard()
            throw error
        }
        waitForIdle(remove(change.leaving))
        let isFree = machine.withLock { machine in
            machine.instances.indices.allSatisfy { machine.isRemoved($0) || slots[$0].isFree }
        }
        setFree(isFree)
        log.info(
            "instances changed",
            metadata: [
                "model": "\(name)", "version": "\(version)", "instances": "\(instanceCount)",
                "added": "\(change.addedCount)", "removed": "\(change.removedCount)",
            ])
    }

    /// - Returns: those whose workers have nothing left to do and end at once.
    @discardableResult
    private func remove(_ numbers: [Int]) -> [Int] {
        let now = clock.now()
        var ending: [Int] = []
        for number in numbers {
            let (wakes, ends) = machine.withLock { machine in
                let hasWorker = machine.instances[number] != .lost
                let wakes = machine.remove(instance: number, now: now)
                return (wakes, hasWorker && wakes.contains(number))
            }
            supervisor?.remove(number)
            if ends { ending.append(number) }
            for wake in wakes { slots[wake].parker.unpark() }
        }
        return ending
    }

    /// How long a change waits for instances to be freed that nothing keeps, in nanoseconds.
    private static let patience: UInt64 = 1_000_000_000

    /// Whoever changes a model's instances finds those gone that did nothing.
    private func waitForIdle(_ numbers: [Int]) {
        guard !numbers.isEmpty else { return }
        _ = drained.wait(until: clock.now() &+ Self.patience, clock: clock) {
            self.departed.withLock { $0.isSuperset(of: numbers) }
        }
    }

    /// An instance has been removed, and its worker ends.
    func leave(_ number: Int, _ slot: InstanceSlot) {
        slot.pass?.leave()
        slot.letGo()
        // Who stops the model waits for those that are left.
        workers.withLock { $0?.removeValue(forKey: number) }?.detach()
        departed.withLock { _ = $0.insert(number) }
        drained.notify()
    }
}
