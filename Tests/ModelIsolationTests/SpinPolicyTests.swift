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
            policy.ended(found: true)
        }
        #expect(pauses.allSatisfy { $0 == 0 })
    }

    @Test("What comes late is looked for less and less often, and often again once it comes soon")
    func late() {
        var policy = SpinPolicy()
        var pauses: [Int] = []
        for _ in 0..<13 {
            pauses.append(Self.waits(&policy))
            policy.ended(found: false)
        }
        #expect(pauses == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1024])
        pauses = [Self.waits(&policy)]
        policy.ended(found: true)
        pauses.append(Self.waits(&policy))
        policy.ended(found: false)
        pauses.append(Self.waits(&policy))
        #expect(pauses == [SpinPolicy.longestPause, 0, 1])
    }
}
