package import Tensors

/// A time without any instance: those that there were did not come back from an execution, and others can't be made
/// yet.
package struct Outage: Hashable, Sendable {
    /// How long a request waits that names no time, in nanoseconds.
    static let defaultPatience: UInt64 = 5_000_000_000

    /// When another instance may be there, in nanoseconds.
    package var end: UInt64
    /// Why there is none, as a sentence.
    package var reason: String

    package init(end: UInt64, reason: String) {
        self.end = end
        self.reason = reason
    }

    /// Whether a request that was enqueued then waits for the end.
    ///
    /// - Parameter timeout: how long it may wait, in nanoseconds; 0 where it does not say.
    func isWorthWaiting(enqueueTime: UInt64, timeout: UInt64, now: UInt64) -> Bool {
        // One that does not say how long has as long from now on as another.
        let start = timeout == 0 ? now : enqueueTime
        return start.adding(timeout == 0 ? Self.defaultPatience : timeout) >= end
    }

    /// What those are told that do not wait.
    package func error(now: UInt64) -> HalcyonError {
        let left = end.since(now)
        let seconds = max(1, Int(clamping: left / 1_000_000_000 + (left % 1_000_000_000 == 0 ? 0 : 1)))
        var error = HalcyonError(.unavailable, "\(reason); try again in \(seconds) s")
        error.retryAfter = .seconds(seconds)
        return error
    }
}
