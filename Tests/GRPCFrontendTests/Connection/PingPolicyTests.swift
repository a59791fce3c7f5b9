import NIOCore
import Testing

@testable import GRPCFrontend

@Suite struct PingPolicyTests {
    private func policy(_ change: (inout GRPCOptions) -> Void = { _ in }) -> PingPolicy {
        var options = GRPCOptions()
        options.minimumPingInterval = 1000
        change(&options)
        return PingPolicy(options)
    }

    private func answers(_ policy: inout PingPolicy, at milliseconds: [UInt64], hasCalls: Bool = true) -> [Bool] {
        milliseconds.map { policy.takes(at: .uptimeNanoseconds($0 * 1_000_000), hasCalls: hasCalls) }
    }

    @Test func twoEarlyPingsAreForgivenAndTheThirdIsNot() {
        var policy = policy()
        #expect(answers(&policy, at: [0, 10, 20, 30]) == [true, true, true, false])
    }

    @Test func pingsThatKeepTheIntervalAreNeverTooMany() {
        var policy = policy()
        #expect(answers(&policy, at: [0, 1000, 2000, 3000, 4000]) == [true, true, true, true, true])
    }

    @Test func dataBeginsTheCountAnew() {
        var policy = policy()
        #expect(answers(&policy, at: [0, 10, 20]) == [true, true, true])
        policy.sentData()
        #expect(answers(&policy, at: [30, 40, 50, 60]) == [true, true, true, false])
    }

    @Test func withoutCallsTheIntervalIsTwoHoursUnlessPermitted() {
        var policy = policy()
        #expect(answers(&policy, at: [0, 2000, 4000, 6000], hasCalls: false) == [true, true, true, false])
        var permitting = self.policy { $0.pingsWithoutCalls = true }
        #expect(answers(&permitting, at: [0, 2000, 4000, 6000], hasCalls: false) == [true, true, true, true])
    }

    @Test func noStrikesAtAllIsNoLimit() {
        var policy = policy { $0.maximumPingStrikes = 0 }
        #expect(answers(&policy, at: [0, 1, 2, 3, 4]) == [true, true, true, true, true])
    }

    @Test func theServersOwnPingsEnd() {
        var policy = policy()
        #expect([policy.maySend(), policy.maySend(), policy.maySend()] == [true, true, false])
        policy.sentData()
        let after = policy.maySend()
        #expect(after)
        var endless = self.policy { $0.maximumPingsWithoutData = 0 }
        #expect((0..<5).allSatisfy { _ in endless.maySend() })
    }
}
