internal import Scheduling
internal import Tensors

/// Which instances do not come back from an execution or have gone by themselves, and when the next attempt to replace
/// each of them is due: as a value. Times are the clock's nanoseconds.
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

    /// An instance that was made in another's place.
    private struct Replacement {
        /// How many went before it, one soon after the other.
        var losses: Int
        var time: Nanoseconds
    }

    /// The longest pause between two attempts to replace an instance.
    static let longestPause: Nanoseconds = 60_000_000_000
    /// An instance that goes by itself sooner than that was no better than the one before.
    static let trial: Nanoseconds = 60_000_000_000
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
    private var replacements: [Int: Replacement] = [:]
    /// Why those have gone whose threads do not know it yet.
    private var going: [Int: String] = [:]
    /// Threads that are stuck in an engine.
    private var stuckCount = 0

    /// - Parameters:
    ///   - limit: the first pause.
    ///   - instanceCount: of those that there are at first.
    init(limit: Nanoseconds, instanceCount: Int) {
        self.limit = limit
        stuckLimit = max(4, instanceCount)
    }

    var isEmpty: Bool { lost.isEmpty }

    /// Why the first of them is lost.
    var complaint: String? { (lost.min { $0.key < $1.key }?.value.reason) ?? (going.min { $0.key < $1.key }?.value) }

    /// An instance has gone by itself, and its thread will say so with ``end(_:reason:now:)``, or be given up.
    mutating func note(_ instance: Int, reason: String) { going[instance] = reason }

    /// When an attempt is due next; `nil` where none is lost, or an attempt is under way for each.
    var nextAttempt: Nanoseconds? { lost.values.lazy.compactMap(\.nextAttempt).min() }

    /// An instance is given up, and its thread is stuck.
    mutating func lose(_ instance: Int, reason: String, now: Nanoseconds) {
        stuckCount += 1
        going[instance] = nil
        if !removed.contains(instance) { lost[instance] = Loss(nextAttempt: now, reason: reason) }
    }

    /// An instance has gone by itself. Its thread takes it apart, which can hang as well. Another is made at once, and
    /// after a growing pause where the one before has not been there for long.
    ///
    /// - Returns: how long no instance may be there at all; `nil` where an attempt to replace one is under way, or due.
    mutating func end(_ instance: Int, reason: String, now: Nanoseconds) -> Outage? {
        stuckCount += 1
        going[instance] = nil
        guard !removed.contains(instance) else { return nil }
        let before = replacements[instance].flatMap { now.since($0.time) < Self.trial ? $0.losses : nil } ?? 0
        let next = before == 0 ? now : now.adding(pause(after: before - 1))
        lost[instance] = Loss(nextAttempt: next, attempts: before, reason: reason)
        return outage(reason: reason, now: now)
    }

    /// The pause after so many attempts that failed.
    private func pause(after attempts: Int) -> Nanoseconds {
        min(limit.times(1 << UInt64(min(attempts, 16))), Self.longestPause)
    }

    private func outage(reason: String, now: Nanoseconds) -> Outage? {
        guard !lost.values.contains(where: { $0.nextAttempt == nil }), let nextAttempt, nextAttempt > now else {
            return nil
        }
        return Outage(end: nextAttempt, reason: reason)
    }

    /// An instance is not wanted any more: if it was lost, nobody misses it.
    mutating func remove(_ instance: Int) {
        removed.insert(instance)
        lost[instance] = nil
        replacements[instance] = nil
        going[instance] = nil
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
        let next = now.adding(pause(after: loss.attempts))
        loss.attempts += 1
        loss.nextAttempt = next
        loss.isHeldBack = isHeldBack
        loss.reason = reason
        lost[instance] = loss
        return (next, outage(reason: reason, now: now))
    }

    /// An instance has been made. The loss is forgotten before it works, as it can hang as well.
    mutating func beginWork(_ instance: Int, now: Nanoseconds) -> Pending {
        let losses = (lost[instance]?.attempts ?? 0) + 1
        replacements[instance] = Replacement(losses: losses, time: now)
        return Pending(&self, instance)
    }

    /// It could not be set to work.
    mutating func workFailed(_ instance: Int, _ pending: Pending) {
        pending.restore(&self, instance)
    }
}
