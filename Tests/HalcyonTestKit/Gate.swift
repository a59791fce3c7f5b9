internal import ModelRuntime
internal import Threads

/// Holds threads back until a test opens it, and tells the test how many have come.
package final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var arrived = 0
    }

    private let state = Locked(State())
    private let changed = Signal()

    package init() {}

    /// Blocks until the gate is open.
    package func pass() {
        state.withLock { $0.arrived += 1 }
        changed.notify()
        _ = changed.wait(until: nil, clock: SystemClock()) { self.state.withLock { $0.isOpen } }
    }

    package func open() {
        state.withLock { $0.isOpen = true }
        changed.notify()
    }

    /// Waits until that many threads have come to the gate, without blocking a thread of the pool: what they come from
    /// may need it.
    package func waitForArrivals(_ count: Int) async {
        await offPool { self.waitForArrivals(count) }
    }

    /// Blocks until that many threads have come to the gate.
    package func waitForArrivals(_ count: Int) {
        _ = changed.wait(until: nil, clock: SystemClock()) { self.state.withLock { $0.arrived >= count } }
    }
}
