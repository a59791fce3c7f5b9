internal import Logging
package import ModelConfiguration
internal import Scheduling
package import Tensors

extension SequenceExecutor: AdjustableExecutor {
    /// How long a change waits for instances to be freed that nothing keeps, in nanoseconds.
    private static let patience: UInt64 = 1_000_000_000

    package func change(
        to instances: [InstanceIdentity], _ configuration: ModelConfiguration, warmUp plan: WarmUpPlan?
    ) throws(HalcyonError) -> InstanceChange? {
        // The order of responses is kept by instance, for those of the beginning.
        guard sequencers.isEmpty else { return nil }
        let numbers = machine.withLock { machine in machine.instanceNumbers.filter { !machine.isRemoved($0) } }
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
            if let plan, !change.fresh.isEmpty { _ = try warmUp(plan, on: change.fresh) }
        } catch {
            change.discard()
            throw error
        }
        return change
    }

    /// Those in the backlog get the new slots; the sequences of instances that are to go end on them.
    package func apply(_ change: InstanceChange) throws(HalcyonError) {
        slots.append(change.fresh)
        supervisor?.add(change.fresh.map(\.identity))
        let now = clock.now()
        let (numbers, expiry) = machine.withLock { machine in
            (machine.add(count: change.fresh.count, now: now), machine.nextExpiry())
        }
        do throws(HalcyonError) {
            for (number, slot) in zip(numbers, change.fresh) { try startWorker(number, on: slot) }
        } catch {
            // What has got their slots meanwhile would wait for ever.
            for number in numbers {
                let lost = machine.withLock { machine in
                    defer { _ = machine.remove(instance: number) }
                    return machine.lose(instance: number)
                }
                fail(lost, error, cause: .backend)
            }
            change.discard()
            throw error
        }
        if let expiry { timer.arm(self, at: expiry) }
        remove(change.leaving)
        log.info(
            "instances changed",
            metadata: [
                "model": "\(name)", "version": "\(version)", "instances": "\(instanceCount)",
                "added": "\(change.addedCount)", "removed": "\(change.removedCount)",
            ])
    }

    /// Whoever changes a model's instances finds those gone that had no sequences.
    private func remove(_ numbers: [Int]) {
        var ending: [Int] = []
        for number in numbers {
            let ends = machine.withLock { $0.remove(instance: number) }
            supervisor?.remove(number)
            if ends { ending.append(number) }
            slots[number].parker.unpark()
        }
        guard !ending.isEmpty else { return }
        _ = drained.wait(until: clock.now() &+ Self.patience, clock: clock) {
            self.departed.withLock { $0.isSuperset(of: ending) }
        }
    }

    /// An instance has been removed, and its worker ends.
    func leave(_ number: Int, _ slot: InstanceSlot) {
        slot.letGo()
        // Who stops the model waits for those that are left.
        workers.withLock { $0?.removeValue(forKey: number) }?.detach()
        departed.withLock { _ = $0.insert(number) }
    }
}
