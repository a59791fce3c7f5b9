internal import Glibc

/// Which model is being opened, on a terminal; nothing elsewhere.
struct LintProgress {
    private let total: Int
    private let isShown = isatty(STDERR_FILENO) == 1

    init(total: Int) { self.total = total }

    func show(_ model: String, number: Int) {
        guard isShown, number <= total else { return }
        StandardError.write("\r\(number) of \(total)  \(model)\u{1B}[K")
    }

    func finish() {
        if isShown { StandardError.write("\r\u{1B}[K") }
    }
}
