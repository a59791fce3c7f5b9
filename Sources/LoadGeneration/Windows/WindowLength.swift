/// How long a window lasts: for a time, and longer where a slow model has answered too few requests by then.
package struct WindowLength: Hashable, Sendable {
    /// In nanoseconds.
    package var interval: UInt64
    /// Answers that make a window worth looking at.
    package var requests = 10
    /// How many times the interval it may last in all.
    package var stretch: UInt64 = 10

    package init(interval: UInt64) { self.interval = interval }

    package func isOver(elapsed: UInt64, requests count: Int) -> Bool {
        guard elapsed >= interval else { return false }
        return count >= requests || elapsed / max(1, interval) >= stretch
    }
}
