internal import Threads

/// Brings together a request's handle and its task's cancellation, whichever comes first.
final class CancellableCall: Sendable {
    private struct State {
        var handle: InferenceHandle?
        var isCancelled = false
    }

    private let state = Locked(State())

    func started(_ handle: InferenceHandle?) {
        let isCancelled = state.withLock { state in
            state.handle = handle
            return state.isCancelled
        }
        if isCancelled { handle?.cancel() }
    }

    func cancel() {
        let handle = state.withLock { state in
            state.isCancelled = true
            return state.handle
        }
        handle?.cancel()
    }
}
