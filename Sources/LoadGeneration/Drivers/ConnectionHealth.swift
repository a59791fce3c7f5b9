internal import Tensors
internal import Threads

/// Whether the server is still there, as the connections see it.
final class ConnectionHealth: Sendable {
    private struct State {
        var open = 0
        /// Since the last connection was made.
        var failures = 0
        var reason = ""
    }

    /// Attempts in vain, with no connection left, that mean that the server is gone.
    private static let patience = 3

    private let state = Locked(State())
    private let name: String

    init(_ name: String) { self.name = name }

    func opened() {
        state.withLock { state in
            state.open += 1
            state.failures = 0
        }
    }

    func closed() { state.withLock { $0.open -= 1 } }

    func refused(_ reason: String) {
        state.withLock { state in
            state.failures += 1
            state.reason = reason
        }
    }

    var failure: HalcyonError? {
        let state = state.withLock { $0 }
        guard state.open == 0, state.failures >= Self.patience else { return nil }
        return HalcyonError(.unavailable, "the server at \(name) does not answer any more: \(state.reason)")
    }
}
