package import Threads

/// A clock that stands still until a test moves it. Threads that park on it with a deadline go on when it gets there.
package final class ManualClock: SchedulingClock {
    private struct Sleeper {
        var parker: Parker
        var deadline: UInt64
    }

    private struct State {
        var now: UInt64
        var sleepers: [Sleeper] = []
    }

    private let state: Locked<State>
    private let changed = Signal()

    package init(now: UInt64 = 1_000_000) { state = Locked(State(now: now)) }

    package func now() -> UInt64 { state.withLock { $0.now } }

    package func park(_ parker: Parker, until deadline: UInt64?) {
        guard let deadline else { return parker.park() }
        let isDue = state.withLock { state in
            if deadline <= state.now { return true }
            state.sleepers.append(Sleeper(parker: parker, deadline: deadline))
            return false
        }
        if isDue { return }
        changed.notify()
        parker.park()
        state.withLock { $0.sleepers.removeAll { $0.parker === parker } }
    }

    /// Moves the clock forward and lets go on whoever waited for a moment on the way.
    package func advance(by nanoseconds: UInt64) {
        let due = state.withLock { state -> [Parker] in
            state.now += nanoseconds
            return state.sleepers.filter { $0.deadline <= state.now }.map(\.parker)
        }
        for parker in due { parker.unpark() }
    }

    /// Blocks until a thread waits for exactly that moment.
    package func waitForSleeper(until deadline: UInt64) {
        _ = changed.wait(until: nil, clock: SystemClock()) {
            self.state.withLock { $0.sleepers.contains { $0.deadline == deadline } }
        }
    }
}
