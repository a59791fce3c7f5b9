import Testing

@testable import ModelRepository

@Suite("The order of what a look finds to do")
struct PollOrderTests {
    private let needs = [
        "ensemble": ["step", "inner"], "inner": ["last"], "circle1": ["circle2"], "circle2": ["circle1"],
    ]

    private func sorted(_ actions: [PollPolicy.Action]) -> [PollPolicy.Action] {
        PollOrder.sorted(actions, needs: { needs[$0] ?? [] }, needed: { needs[$0] ?? [] })
    }

    @Test("Models are loaded behind those that they need, and unloaded before them")
    func dependencies() {
        let loads = sorted(["ensemble", "inner", "last", "step"].map { .load($0) })
        #expect(loads == [.load("last"), .load("step"), .load("inner"), .load("ensemble")])
        let unloads = sorted(["inner", "last", "ensemble"].map { .unload($0) })
        #expect(unloads == [.unload("ensemble"), .unload("inner"), .unload("last")])
        #expect(Set(sorted([.load("circle1"), .load("circle2")])) == [.load("circle1"), .load("circle2")])
    }

    @Test("What is needed no longer goes when its place has been taken")
    func loadsFirst() {
        #expect(sorted([.unload("old"), .load("new")]) == [.load("new"), .unload("old")])
    }
}
