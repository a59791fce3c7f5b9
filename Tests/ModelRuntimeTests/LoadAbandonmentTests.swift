import Testing
import Threads

@testable import ModelRuntime

@Suite("A load that nobody waits for any more")
struct LoadAbandonmentTests {
    @Test("Everybody is told once, those who come late at once")
    func told() {
        let abandonment = LoadAbandonment()
        let calls = Locked<[String]>([])
        abandonment.whenGivenUp { calls.withLock { $0.append("a") } }
        abandonment.whenGivenUp { calls.withLock { $0.append("b") } }
        #expect(calls.withLock { $0 } == [])
        abandonment.giveUp()
        abandonment.giveUp()
        #expect(calls.withLock { $0 } == ["a", "b"])
        abandonment.whenGivenUp { calls.withLock { $0.append("c") } }
        #expect(calls.withLock { $0 } == ["a", "b", "c"])
    }

    @Test("Once the model is made nobody is told, and nothing of it is kept")
    func made() {
        final class Kept: Sendable {}
        let abandonment = LoadAbandonment()
        let calls = Locked(0)
        weak var kept: Kept?
        do {
            let fresh = Kept()
            kept = fresh
            abandonment.whenGivenUp { withExtendedLifetime(fresh) { calls.withLock { $0 += 1 } } }
        }
        #expect(kept != nil)
        abandonment.end()
        #expect(kept == nil)
        abandonment.whenGivenUp { calls.withLock { $0 += 1 } }
        abandonment.giveUp()
        #expect(calls.withLock { $0 } == 0)
    }
}
