internal import Tensors

/// What a person sees while a conversion runs: a line for each step, with the time since the beginning.
package final class Console {
    private let start = ContinuousClock.now
    private let isTerminal: Bool
    private let write: (String) -> Void
    /// Whether the line on the terminal is one that the next one writes over.
    private var hasOpenLine = false
    private var step = ""
    private var lastTenth = -1

    /// - Parameters:
    ///   - isTerminal: whether a line may be written over.
    ///   - write: takes the text as it is.
    package init(isTerminal: Bool, write: @escaping (String) -> Void) {
        self.isTerminal = isTerminal
        self.write = write
    }

    /// A line of its own.
    package func say(_ text: String) {
        closeLine()
        write("\(time)  \(Self.oneLine(text))\n")
    }

    /// What is being done from now on.
    func begin(_ step: String) {
        self.step = step
        lastTenth = -1
        say(step)
    }

    /// How far the step is. Where lines can't be written over, a tenth of the way gets a line.
    func progress(done: Int, total: Int) {
        guard total > 0, done >= 0, done <= total else { return }
        let text = "\(time)  \(step): \(done) of \(total)"
        if isTerminal {
            write("\r\(text)\u{1B}[K")
            hasOpenLine = true
        } else {
            let tenth = Int(Double(done) / Double(total) * 10)
            guard tenth > lastTenth, tenth > 0 else { return }
            lastTenth = tenth
            write(text + "\n")
        }
    }

    func closeLine() {
        if hasOpenLine { write("\n") }
        hasOpenLine = false
    }

    /// What others wrote must not move the cursor.
    private static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 }.filter { !$0.unicodeScalars.contains { $0.value < 0x20 } })
    }

    private var time: String {
        let tenths = Int((ContinuousClock.now - start) / .milliseconds(100))
        let text = "\(tenths / 10).\(tenths % 10) s"
        return String(repeating: " ", count: max(0, 8 - text.count)) + text
    }
}
