internal import Tensors
package import Threads

/// Waits that a model's own settings ask for, by which people try out what a slow model does to a server. They end
/// early when the server stops, or when nobody waits for their end any more.
package final class Pauses: Sendable {
    private let clock: any SchedulingClock
    private let hasEnded = Locked(false)
    private let changed = Signal()

    /// How often a pause looks whether somebody still waits for its end, in nanoseconds.
    private static let interval: UInt64 = 50_000_000

    package init(clock: any SchedulingClock = SystemClock()) { self.clock = clock }

    /// Blocks the calling thread.
    ///
    /// - Parameter isCancelled: whether nobody waits for the end of it.
    /// - Returns: whether it lasted as long as it should.
    package func wait(milliseconds: UInt64, isCancelled: () -> Bool = { false }) -> Bool {
        let deadline = clock.now().adding(.milliseconds(milliseconds))
        while !hasEnded.withLock({ $0 }), !isCancelled() {
            let now = clock.now()
            guard now < deadline else { return true }
            _ = changed.wait(until: min(deadline, now.adding(Self.interval)), clock: clock) {
                self.hasEnded.withLock { $0 }
            }
        }
        return false
    }

    /// Ends all pauses, and those to come.
    package func end() {
        hasEnded.withLock { $0 = true }
        changed.notify()
    }
}
