import Testing

@testable import ModelConversion

@Suite struct ConsoleTests {
    private final class Screen {
        var text = ""
    }

    private func text(isTerminal: Bool, _ body: (Console) -> Void) -> String {
        let screen = Screen()
        body(Console(isTerminal: isTerminal) { screen.text += $0 })
        return screen.text
    }

    @Test func `Where lines stay a step has one line, when it has ended`() {
        let said = text(isTerminal: false) { console in
            console.begin("reading")
            console.progress(done: 1, total: 2)
            console.say("notice: something")
            console.begin("writing")
            console.end(failed: true)
        }
        let lines = said.split(separator: "\n").map(String.init)
        #expect(lines.count == 3, "\(lines)")
        #expect(lines.first == "notice: something")
        #expect(lines.dropFirst().first?.hasPrefix("reading: done in ") == true)
        #expect(lines.last?.hasPrefix("writing: failed after ") == true)
    }

    @Test func `A terminal shows a bar, which the line of the end takes the place of`() {
        let said = text(isTerminal: true) { console in
            console.begin("reading")
            console.progress(done: 1, total: 2)
            console.end()
        }
        let bar = String(repeating: "█", count: 12) + String(repeating: "░", count: 12)
        #expect(said.contains("\rreading  \(bar) 1 of 2\u{1B}[K"))
        #expect(said.contains("\r\u{1B}[Kreading: done in "))
        #expect(said.split(separator: "\n", omittingEmptySubsequences: false).count == 2)
    }

    @Test func `What others wrote does not move the cursor`() {
        #expect(text(isTerminal: true) { $0.say("a\u{1B}[2J\rb\nc") } == "a[2J b c\n")
    }
}
