private import Glibc
internal import Threads

/// The servers of this process that were released without being shut down, and still stop in the background.
///
/// A process that ends meanwhile waits for them a little: engines must not be freed while the system takes their
/// libraries down.
enum AbandonedServers {
    /// How long a process that ends waits, in nanoseconds.
    private static let patience: UInt64 = 3_000_000_000
    private static let count = Locked(0)
    private static let changed = Signal()

    static func begin() {
        let isFirst = count.withLock { count in
            count += 1
            return count == 1
        }
        // What is registered last runs first, so this comes before the engines' own ends.
        if isFirst { _ = atexit { AbandonedServers.wait() } }
    }

    static func end() {
        count.withLock { $0 -= 1 }
        changed.notify()
    }

    private static func wait() {
        let clock = SystemClock()
        let (limit, overflow) = clock.now().addingReportingOverflow(patience)
        _ = changed.wait(until: overflow ? nil : limit, clock: clock) { count.withLock { $0 == 0 } }
    }
}
