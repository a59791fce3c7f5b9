internal import Tensors

/// What a person sees while a conversion runs: one line a step. On a terminal the line of the step that runs is drawn
/// over, with a bar where it is known how far it is; elsewhere a step has a line when it has ended.
package final class Console {
    private static let width = 24

    private let start = ContinuousClock.now
    private let isTerminal: Bool
    private let write: (String) -> Void
    /// The step that runs.
    private var step: String?
    private var stepStart = ContinuousClock.now
    /// The state of the line of the step that runs, behind its name.
    private var state = ""

    /// - Parameters:
    ///   - isTerminal: whether a line may be written over.
    ///   - write: takes the text as it is.
    package init(isTerminal: Bool, write: @escaping (String) -> Void) {
        self.isTerminal = isTerminal
        self.write = write
    }

    /// A line of its own.
    package func say(_ text: String) {
        erase()
        write("\(Self.oneLine(text))\n")
        draw()
    }

    /// What is being done from now on. The step before has ended.
    func begin(_ step: String) {
        end()
        self.step = Self.oneLine(step)
        stepStart = .now
        draw()
    }

    /// How far the step is.
    func progress(done: Int, total: Int) {
        guard total > 0, done >= 0, done <= total else { return }
        let filled = Int(Double(done) / Double(total) * Double(Self.width))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.width - filled)
        state = "\(bar) \(done) of \(total)"
        draw()
    }

    /// The step that runs has ended.
    ///
    /// - Parameter failed: whether it came to nothing.
    func end(failed: Bool = false) {
        guard let step else { return }
        erase()
        self.step = nil
        state = ""
        write("\(step): \(failed ? "failed after" : "done in") \(Self.seconds(since: stepStart))\n")
    }

    /// The whole time until now, for the last line.
    var time: String { Self.seconds(since: start) }

    private func draw() {
        guard isTerminal, let step else { return }
        write("\r\(step)  \(state)\u{1B}[K")
    }

    private func erase() {
        if isTerminal, step != nil { write("\r\u{1B}[K") }
    }

    /// What others wrote must not move the cursor.
    private static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 }.filter { !$0.unicodeScalars.contains { $0.value < 0x20 } })
    }

    private static func seconds(since start: ContinuousClock.Instant) -> String {
        let tenths = Int((ContinuousClock.now - start) / .milliseconds(100))
        return "\(tenths / 10).\(tenths % 10) s"
    }
}
