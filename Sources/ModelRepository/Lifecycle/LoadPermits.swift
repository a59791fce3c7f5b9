internal import ModelRuntime
internal import Threads

/// How many models are loaded at the same time: each takes memory and processors while it is.
///
/// A load that takes long may well hang, so after a while it no longer counts, and another goes on beside it.
package final class LoadPermits: Sendable {
    /// How long a load holds up others, in nanoseconds.
    package static let patience: UInt64 = 30_000_000_000

    private let leases: Locked<LoadLeases>
    private let changed = Signal()
    private let clock: any SchedulingClock

    init(count: Int, clock: any SchedulingClock) {
        leases = Locked(LoadLeases(count: count, patience: Self.patience))
        self.clock = clock
    }

    /// Waits until there is room.
    ///
    /// - Parameter isOver: whether nobody wants it any more; asked whenever ``wake()`` is called.
    /// - Returns: what to give back; `nil` where it was over.
    func take(unless isOver: () -> Bool) -> LoadLeases.Lease? {
        while true {
            let now = clock.now()
            let (lease, retry) = leases.withLock { ($0.take(now: now), $0.nextExpiry) }
            if let lease { return lease }
            if isOver() { return nil }
            _ = changed.wait(until: retry, clock: clock) {
                isOver() || self.leases.withLock { $0.isFree(now: self.clock.now()) }
            }
        }
    }

    func giveBack(_ lease: LoadLeases.Lease) {
        leases.withLock { $0.giveBack(lease) }
        changed.notify()
    }

    /// Has those who wait see whether it is over.
    func wake() { changed.notify() }
}
