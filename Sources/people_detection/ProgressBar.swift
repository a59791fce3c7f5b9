private import Foundation

/// A bar on the terminal while many requests run. It shows nothing where standard error is no terminal, or where the
/// work is short.
final class ProgressBar: @unchecked Sendable {
    private static let width = 40

    private let total: Int
    private let isShown: Bool
    private let lock = NSLock()
    private var done = 0
    private var shownPercent = -1

    init(total: Int) {
        self.total = total
        isShown = StandardError.isTerminal && total >= 20
    }

    func advance() {
        guard isShown else { return }
        lock.withLock {
            done += 1
            let percent = done * 100 / total
            guard percent != shownPercent else { return }
            shownPercent = percent
            let filled = percent * Self.width / 100
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.width - filled)
            StandardError.write("\r\(bar) \(percent)% (\(done) of \(total) requests)")
        }
    }

    /// Takes the bar away.
    func finish() {
        if isShown { StandardError.write("\r\u{1B}[K") }
    }
}
