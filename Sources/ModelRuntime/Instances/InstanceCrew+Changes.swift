internal import Logging
internal import ModelConfigurations
internal import Synchronization
internal import Tensors
internal import Threads

/// Other instances while the model serves.
extension InstanceCrew {
    /// How long a change waits for instances to be freed that nothing keeps, in nanoseconds.
    private static var patience: UInt64 { 1_000_000_000 }

    /// As ``AdjustableExecutor/change(to:_:warmUp:)``.
    ///
    /// - Parameter check: looks at the new instances, and warms them up.
    func change(
        to instances: [InstanceIdentity], _ configuration: ModelConfiguration,
        check: ([CrewMember]) throws(HalcyonError) -> Void
    ) throws(HalcyonError) -> InstanceChange? {
        let present = ask(\.activeInstances).map { ($0, members[$0]) }
        let difference = InstanceDifference(
            present, wanted: instances, configuration, nextNumber: members.count, sharesResources: resources != nil)
        guard difference.lacking.count <= members.left else { return nil }
        let change: InstanceChange
        do {
            change = InstanceChange(
                fresh: try CrewMember.make(difference.lacking, of: model, configuration, sharing: resources),
                leaving: difference.leaving)
        } catch {
            throw HalcyonError(wrapping: error)
        }
        do throws(HalcyonError) {
            if !change.fresh.isEmpty { try check(change.fresh) }
        } catch {
            change.discard()
            throw error
        }
        return change
    }

    /// As ``AdjustableExecutor/apply(_:)``.
    func apply(_ change: InstanceChange) throws(HalcyonError) {
        if !change.fresh.allSatisfy(\.isFree) { isFree.store(false, ordering: .relaxed) }
        members.append(change.fresh)
        supervisor?.add(change.fresh.map(\.identity))
        let now = clock.now()
        let numbers = perform { $0.add(count: change.fresh.count, now: now, &$1) }
        var started = 0
        do throws(HalcyonError) {
            for (number, member) in zip(numbers, change.fresh) {
                try startWorker(number, on: member)
                started += 1
            }
        } catch {
            // What has come to them meanwhile would wait for ever.
            for number in numbers.dropFirst(started) {
                perform { $1.end($0.lose(instance: number, now: now, &$1), error, .backend) }
            }
            remove(Array(numbers))
            change.discard()
            throw error
        }
        let ending = remove(change.leaving)
        // Whoever changes a model's instances finds those gone that did nothing.
        if !ending.isEmpty {
            _ = changed.wait(until: clock.now().adding(Self.patience), clock: clock) { self.haveDeparted(ending) }
        }
        let active = ask(\.activeInstances)
        isFree.store(active.allSatisfy { members[$0].isFree }, ordering: .relaxed)
        log.info(
            "instances changed",
            metadata: [
                "model": "\(completion.name)", "version": "\(completion.version)", "instances": "\(active.count)",
                "added": "\(change.addedCount)", "removed": "\(change.removedCount)",
            ])
    }

    /// - Returns: those whose workers have nothing left to do and end at once.
    @discardableResult
    private func remove(_ numbers: [Int]) -> [Int] {
        let now = clock.now()
        return numbers.filter { number in
            let ends = perform { $0.remove(instance: number, now: now, &$1) }
            supervisor?.remove(number)
            return ends
        }
    }
}
