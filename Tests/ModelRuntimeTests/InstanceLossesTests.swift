import Scheduling
import Testing

@testable import ModelRuntime

@Suite("Lost instances")
struct InstanceLossesTests {
    private static func attempt(_ losses: inout InstanceLosses, _ instance: Int, at now: UInt64) -> UInt64? {
        losses.attemptFailed(instance, reason: "why \(now)", isHeldBack: false, now: now)?.next
    }

    @Test("Attempts that fail follow each other at growing distances, up to a minute")
    func backOff() {
        var losses = InstanceLosses(limit: 1_000_000_000, instanceCount: 1)
        losses.lose(0, reason: "stuck", now: 5)
        #expect(losses.complaint == "stuck" && losses.nextAttempt == 5)
        #expect(losses.takeDue(now: 5) == [.init(instance: 0, mayReplace: true)])
        #expect(losses.nextAttempt == nil && losses.takeDue(now: 5).isEmpty)
        var pauses: [UInt64] = []
        for _ in 0..<8 {
            pauses.append((Self.attempt(&losses, 0, at: 100) ?? 0) / 1_000_000_000)
            _ = losses.takeDue(now: .max)
        }
        #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60])
        #expect(losses.complaint == "why 100")
    }

    @Test("An outage lasts until the next attempt, and is none while one is under way")
    func outage() {
        var losses = InstanceLosses(limit: 10, instanceCount: 2)
        losses.lose(0, reason: "a", now: 0)
        losses.lose(1, reason: "b", now: 0)
        #expect(losses.takeDue(now: 0).count == 2)
        let first = losses.attemptFailed(0, reason: "no", isHeldBack: false, now: 100)
        #expect(first?.next == 110 && first?.outage == nil)
        let second = losses.attemptFailed(1, reason: "neither", isHeldBack: false, now: 105)
        #expect(second?.outage == Outage(end: 110, reason: "neither"))
    }

    @Test("Too many stuck threads hold an instance back, until one returns or it has waited long enough")
    func heldBack() {
        var losses = InstanceLosses(limit: 10, instanceCount: 1)
        for instance in 0..<5 { losses.lose(instance, reason: "stuck", now: 0) }
        #expect(losses.takeDue(now: 0).allSatisfy { !$0.mayReplace })
        for instance in 0..<5 { _ = losses.attemptFailed(instance, reason: "held", isHeldBack: true, now: 0) }
        let mayReplace = losses.threadReturned(now: 3)
        #expect(mayReplace)
        #expect(losses.takeDue(now: 3).map(\.mayReplace) == Array(repeating: true, count: 5))
    }

    @Test("What goes by itself is replaced at once, and after growing pauses where it goes again within a minute")
    func going() {
        var losses = InstanceLosses(limit: 1_000_000_000, instanceCount: 1)
        losses.note(0, reason: "a process has ended")
        #expect(losses.complaint == "a process has ended" && losses.isEmpty)
        var pauses: [UInt64] = []
        var now: UInt64 = 0
        for _ in 0..<9 {
            let outage = losses.end(0, reason: "gone", now: now)
            let next = losses.nextAttempt ?? 0
            #expect(losses.complaint == "gone")
            #expect(outage == (next > now ? Outage(end: next, reason: "gone") : nil))
            pauses.append((next - now) / 1_000_000_000)
            #expect(losses.takeDue(now: next) == [.init(instance: 0, mayReplace: true)])
            _ = losses.beginWork(0, now: next)
            let isDue = losses.threadReturned(now: next)
            #expect(!isDue && losses.complaint == nil)
            now = next + InstanceLosses.trial - 1
        }
        #expect(pauses == [0, 1, 2, 4, 8, 16, 32, 60, 60])
        now += 1
        #expect(losses.end(0, reason: "gone", now: now) == nil && losses.nextAttempt == now)
        losses.remove(0)
        losses.note(1, reason: "going")
        losses.remove(1)
        #expect(losses.complaint == nil)
        #expect(losses.end(1, reason: "gone", now: now) == nil && losses.isEmpty)
    }

    @Test("What is removed is missed by nobody; what can't be set to work is lost as before")
    func removed() {
        var losses = InstanceLosses(limit: 10, instanceCount: 1)
        losses.lose(0, reason: "stuck", now: 0)
        let pending = losses.beginWork(0, now: 0)
        #expect(losses.isEmpty && losses.complaint == nil)
        losses.workFailed(0, pending)
        #expect(losses.complaint == "stuck")
        losses.remove(0)
        #expect(losses.isEmpty && Self.attempt(&losses, 0, at: 1) == nil && !losses.hurry(now: 2))
        losses.lose(0, reason: "again", now: 3)
        #expect(losses.isEmpty)
    }
}
