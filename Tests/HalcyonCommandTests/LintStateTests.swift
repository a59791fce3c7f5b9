import JSONText
import ModelConversion
import ModelRepository
import Testing

@testable import halcyon

@Suite struct LintStateTests {
    private static let warning = LintFinding(model: "a", severity: .warning, text: "something")

    @Test func `A message is read as it was written, and what an engine says is none`() {
        for message in [LintMessage.opening("a"), .looked("a", [Self.warning]), .looked("a", []), .failed("why")] {
            #expect(LintMessage(message.json.compact) == message)
        }
        for line in ["", "Loading...", "{}", "[1]", "{\"looked\": 1}"] { #expect(LintMessage(line) == nil) }
    }

    @Test func `Models that were looked at by one process`() throws {
        var state = LintState(keys: ["a", "b"])
        state.take(.opening("a"))
        state.take(.looked("a", [Self.warning]))
        #expect(!state.isOver)
        state.take(.looked("b", []))
        #expect(state.isOver)
        // Whatever happens when it tidies up.
        try state.end(.killed(signal: 11), lastWords: "")
        #expect(state.findings == [Self.warning])
    }

    @Test func `A model that ends the process is an error, and the next process goes on without it`() throws {
        var state = LintState(keys: ["a", "b", "c"])
        state.take(.looked("a", [Self.warning]))
        state.take(.opening("b"))
        #expect(state.opening == "b")
        try state.end(.killed(signal: 8), lastWords: "it said nothing")
        #expect(!state.isOver)
        #expect(state.looked == ["a"])
        #expect(Array(state.deadly.keys) == ["b"])
        state.take(.looked("b", []))
        state.take(.looked("c", []))
        #expect(state.isOver)
        #expect(state.findings.map(\.model) == ["a", "b"])
        #expect(state.findings.last?.severity == .error)
        #expect(state.findings.last?.text.contains("ended by signal 8 (Floating point exception)") == true)
    }

    @Test func `A process that ends without opening anything, or twice at the same model, is not begun again`() throws {
        var idle = LintState(keys: ["a"])
        #expect(throws: (any Error).self) { try idle.end(.exited(3), lastWords: "no memory") }
        var twice = LintState(keys: ["a"])
        twice.take(.opening("a"))
        try twice.end(.killed(signal: 11), lastWords: "")
        twice.take(.opening("a"))
        #expect(throws: (any Error).self) { try twice.end(.killed(signal: 11), lastWords: "") }
    }

    @Test func `What keeps the repositories from being read is said`() {
        var state = LintState(keys: ["a"])
        state.take(.failed("the repository is gone"))
        #expect(throws: (any Error).self) { try state.end(.exited(0), lastWords: "") }
    }
}
