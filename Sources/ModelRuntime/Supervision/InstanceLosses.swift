internal import Scheduling
internal import Tensors

/// Which instances do not come back from an execution, and when the next attempt to replace each of them is due: as a
/// value. Times are the clock's nanoseconds.
///
/// Attempts that fail follow each other at growing distances. A thread that is stuck in an engine keeps its memory, so
/// only a few are put up with; when there are too many, an instance waits until one of them comes back, or until it has
/// been held back often enough that one more thread does not matter.
struct InstanceLosses: Sendable {
    private struct Loss {
        /// `nil` while an attempt to replace it is under way.
        var nextAttempt: Nanoseconds?
        var attempts = 0
        /// Whether it is not replaced because too many threads are stuck.
        var isHeldBack = false
        var reason: String
    }

    /// An instance that is to be replaced now.
    struct Due: Equatable, Sendable {
        var instance: Int
        /// Whether it may; if not, that is a failed attempt.
        var mayReplace: Bool
    }

    /// What was lost and is being set to work, in case that fails.
    struct Pending {
        private let loss: Loss?

        fileprivate init(_ losses: inout InstanceLosses, _ instance: Int) {
            loss = losses.lost.removeValue(forKey: instance)
        }

        fileprivate func restore(_ losses: inout InstanceLosses, _ instance: Int) { losses.lost[instance] = loss }
    }

    /// The longest pause between two attempts to replace an instance.
    static let longestPause: Nanoseconds = 60_000_000_000
    /// Attempts after which one more stuck thread is put up with: an engine that never comes back must not be the end
    /// of the model.
    private static let attemptsHeldBack = 3
    /// Stuck threads that are put up with at all.
    private static let stuckMaximum = 64

    private let limit: Nanoseconds
    private let stuckLimit: Int
    private var lost: [Int: Loss] = [:]
    /// Those that are not to be replaced.
    private var removed: Set<Int> = []
    /// Threads that are stuck in an engine.
    private var stuckCount = 0

    /// - Parameters:
    ///   - limit: how long an execution may take; the first pause.
    ///   - instanceCount: of those that there are at first.
    init(limit: Nanoseconds, instanceCount: Int) {
        self.limit = limit
        stuckLimit = max(4, instanceCount)
    }

    var isEmpty: Bool { lost.isEmpty }

    /// Why the first of them is lost.
    var complaint: String? { lost.min { $0.key < $1.key }?.value.reason }

    /// When an attempt is due next; `nil` where none is lost, or an attempt is under way for each.
    var nextAttempt: Nanoseconds? { lost.values.lazy.compactMap(\.nextAttempt).min() }

    /// An instance is given up, and its thread is stuck.
    mutating func lose(_ instance: Int, reason: String, now: Nanoseconds) {
        stuckCount += 1
        if !removed.contains(instance) { lost[instance] = Loss(nextAttempt: now, reason: reason) }
    }

    /// An instance is not wanted any more: if it was lost, nobody misses it.
    mutating func remove(_ instance: Int) {
        removed.insert(instance)
        lost[instance] = nil
    }

    /// A thread that was stuck has come back, and makes room for another.
    ///
    /// - Returns: whether an attempt is due now.
    mutating func threadReturned(now: Nanoseconds) -> Bool {
        stuckCount -= 1
        return makeDue(now: now) { $0.isHeldBack }
    }

    /// Somebody waits for what was lost.
    ///
    /// - Returns: whether an attempt is due now.
    mutating func hurry(now: Nanoseconds) -> Bool { makeDue(now: now) { _ in true } }

    private mutating func makeDue(now: Nanoseconds, where isWanted: (Loss) -> Bool) -> Bool {
        let pausing = lost.filter { $0.value.nextAttempt != nil && isWanted($0.value) }.keys
        for instance in pausing { lost[instance]?.nextAttempt = now }
        return !pausing.isEmpty
    }

    /// Takes up the attempts that are due, by instance.
    mutating func takeDue(now: Nanoseconds) -> [Due] {
        lost.filter { ($0.value.nextAttempt ?? .never) <= now }.sorted { $0.key < $1.key }.map { instance, loss in
            lost[instance]?.nextAttempt = nil
            let isPatient = loss.attempts >= Self.attemptsHeldBack && stuckCount < Self.stuckMaximum
            return Due(instance: instance, mayReplace: stuckCount <= stuckLimit || isPatient)
        }
    }

    /// An attempt has failed.
    ///
    /// - Parameter isHeldBack: whether none was made because too many threads are stuck.
    /// - Returns: when the next is due, and how long no instance may be there at all, if no attempt is under way; `nil`
    ///   where the instance is not missed any more.
    mutating func attemptFailed(
        _ instance: Int, reason: String, isHeldBack: Bool, now: Nanoseconds
    ) -> (next: Nanoseconds, outage: Outage?)? {
        guard var loss = lost[instance] else { return nil }
        let pause = limit.times(1 << UInt64(min(loss.attempts, 16)))
        let next = now.adding(min(pause, Self.longestPause))
        loss.attempts += 1
        loss.nextAttempt = next
        loss.isHeldBack = isHeldBack
        loss.reason = reason
        lost[instance] = loss
        let isUnderWay = lost.values.contains { $0.nextAttempt == nil }
        return (next, isUnderWay ? nil : nextAttempt.map { Outage(end: $0, reason: reason) })
    }

    /// An instance has been made. The loss is forgotten before it works, as it can hang as well.
    mutating func beginWork(_ instance: Int) -> Pending { Pending(&self, instance) }

    /// It could not be set to work.
    mutating func workFailed(_ instance: Int, _ pending: Pending) {
        pending.restore(&self, instance)
    }
}
