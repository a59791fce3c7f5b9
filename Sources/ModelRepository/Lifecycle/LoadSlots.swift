internal import ModelRuntime

/// How many models are loaded at the same time: each takes memory and processors while it is.
final class LoadSlots: Sendable {
    private let free: Locked<Int>
    private let changed = Signal()
    private let clock: any SchedulingClock

    init(count: Int, clock: any SchedulingClock) {
        free = Locked(max(1, count))
        self.clock = clock
    }

    /// Waits until there is room.
    func take() {
        _ = changed.wait(until: nil, clock: clock) {
            self.free.withLock { free in
                guard free > 0 else { return false }
                free -= 1
                return true
            }
        }
    }

    func giveBack() {
        free.withLock { $0 += 1 }
        changed.notify()
    }
}
