import Testing

@testable import ModelRepository

@Suite struct PollPolicyTests {
    private func run(_ looks: [[String: UInt64?]], from loaded: [String: UInt64] = ["a": 1]) -> [[PollPolicy.Action]] {
        var policy = PollPolicy(loaded: loaded)
        return looks.map { policy.actions(for: $0) }
    }

    @Test func nothingChangesNothing() { #expect(run([["a": 1], ["a": 1]]) == [[], []]) }

    @Test func aNewModelIsLoadedWhenItHasSettled() {
        #expect(
            run([["a": 1, "b": 1], ["a": 1, "b": 2], ["a": 1, "b": 2], ["a": 1, "b": 2]]) == [[], [], [.load("b")], []])
    }

    @Test func aChangeIsTakenOnceAndASecondOneAgain() {
        #expect(run([["a": 2], ["a": 2], ["a": 2], ["a": 3], ["a": 3]]) == [[], [.load("a")], [], [], [.load("a")]])
    }

    @Test func aChangeThatIsTakenBackIsNone() { #expect(run([["a": 2], ["a": 1], ["a": 1]]) == [[], [], []]) }

    @Test func whatHasGoneIsUnloadedWhenItStaysAway() {
        #expect(run([[:], [:], [:]]) == [[], [.unload("a")], []])
        #expect(run([[:], ["a": 1], ["a": 1]]) == [[], [], []], "it was only put in another's place")
        #expect(run([[:], [:], ["a": 1], ["a": 1]]) == [[], [.unload("a")], [], [.load("a")]])
    }

    @Test func whatCanNotBeReadHasNeitherChangedNorGone() {
        #expect(run([["a": nil], ["a": nil], ["a": nil], ["a": 1]]) == [[], [], [], []])
        #expect(run([["a": nil], ["a": 2], ["a": nil]]) == [[], [], [.load("a")]])
        #expect(run([["a": 1, "b": nil], ["a": 1, "b": nil]]) == [[], []], "nobody knows yet what it is")
    }
}
