internal import Glibc

/// The line of a terminal that shows how far a command is; nothing where standard error is none.
struct Terminal {
    private let isOne = isatty(STDERR_FILENO) == 1

    func show(_ text: String) {
        guard isOne else { return }
        var size = winsize()
        let width = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
        StandardError.write("\r\u{1B}[K" + String(text.prefix(width - 1)))
    }

    func clear() { if isOne { StandardError.write("\r\u{1B}[K") } }
}
