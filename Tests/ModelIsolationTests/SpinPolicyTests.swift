import Testing

@testable import ModelIsolation

@Suite("When it pays to look before a thread goes to sleep")
struct SpinPolicyTests {
    /// Waits until the next look, from now on.
    private static func waits(_ policy: inout SpinPolicy) -> Int {
        var count = 0
        while !policy.begins() { count += 1 }
        return count
    }

    @Test("What comes soon is looked for every time")
    func soon() {
        var policy = SpinPolicy()
        var pauses: [Int] = []
        for _ in 0..<100 {
            pauses.append(Self.waits(&policy))
            policy.ended(found: true, waited: 0)
        }
        #expect(pauses.allSatisfy { $0 == 0 })
    }

    @Test("What comes late is looked for less and less often, and often again once it comes soon")
    func late() {
        var policy = SpinPolicy()
        var pauses: [Int] = []
        for _ in 0..<13 {
            pauses.append(Self.waits(&policy))
            policy.ended(found: false, waited: 1_000_000)
        }
        #expect(pauses == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024])
        pauses = [Self.waits(&policy)]
        policy.ended(found: true, waited: 0)
        pauses.append(Self.waits(&policy))
        policy.ended(found: false, waited: 1_000_000)
        pauses.append(Self.waits(&policy))
        #expect(pauses == [SpinPolicy.longestPause, 0, 1])
    }

    @Test("What comes soon after the look is looked for again before long, whatever was before")
    func near() {
        var policy = SpinPolicy()
        var pauses: [Int] = []
        for _ in 0..<6 {
            pauses.append(Self.waits(&policy))
            policy.ended(found: false, waited: SpinPolicy.near)
        }
        #expect(pauses == [0, 1, 2, 4, 8, 8])
        for _ in 0..<12 {
            _ = Self.waits(&policy)
            policy.ended(found: false, waited: SpinPolicy.near + 1)
        }
        #expect(Self.waits(&policy) == SpinPolicy.longestPause)
        policy.ended(found: false, waited: SpinPolicy.near)
        #expect(Self.waits(&policy) == SpinPolicy.nearPause)
    }
}
