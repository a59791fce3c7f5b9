private import Glibc

/// How wide a line may be.
enum TerminalWidth {
    /// Columns of the terminal on standard output; 100 where it is none.
    static var columns: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 100 }
        return min(400, max(40, Int(size.ws_col)))
    }
}
