internal import Tensors
internal import Threads

/// The requests that a backend hands in for one of its models.
package final class ServerCalls: Sendable {
    private struct State {
        var open = 0
        var lastEnd: UInt64?
    }

    private let state = Locked(State())

    func begin() { state.withLock { $0.open += 1 } }

    func end() {
        let now = SystemClock().now()
        state.withLock { state in
            state.open -= 1
            state.lastEnd = now
        }
    }

    /// Whether one has been under way since then, in nanoseconds of the system's clock.
    func wereAny(since time: UInt64) -> Bool {
        state.withLock { state in state.open > 0 || state.lastEnd.map { $0 >= time } == true }
    }
}
