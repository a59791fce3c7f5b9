import Testing

@testable import ModelRepository

@Suite("Turns of loads and unloads")
struct TurnQueueTests {
    @Test("First come, first served, for each model by itself")
    func order() {
        var turns = TurnQueue()
        let (first, second, third) = (turns.join("a"), turns.join("a"), turns.join("a"))
        let other = turns.join("b")
        #expect(turns.isFirst(first) && turns.isFirst(other))
        #expect(!turns.isFirst(second) && !turns.isFirst(third))
        turns.leave(second)
        turns.leave(first)
        #expect(turns.isFirst(third), "one that gave up is passed over")
        turns.leave(third)
        #expect(!turns.isEmpty)
        turns.leave(other)
        #expect(turns.isEmpty)
    }
}
