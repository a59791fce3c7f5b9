internal import Threads

/// Tells those who make a model that nobody waits for it any more, so that they end what they can end.
package final class LoadAbandonment: Sendable {
    private struct State {
        var isGivenUp = false
        var isOver = false
        var handlers: [@Sendable () -> Void] = []
    }

    private let state = Locked(State())

    package init() {}

    /// Has that called when the model is given up; at once if it has been, and never once the model is made.
    package func whenGivenUp(_ handler: @escaping @Sendable () -> Void) {
        let isGivenUp = state.withLock { state in
            if !state.isGivenUp, !state.isOver { state.handlers.append(handler) }
            return state.isGivenUp
        }
        if isGivenUp { handler() }
    }

    /// The model is made, or has failed: nothing of it is kept here.
    package func end() {
        let handlers = state.withLock { state in
            state.isOver = true
            defer { state.handlers = [] }
            return state.handlers
        }
        // What they keep goes outside the lock.
        withExtendedLifetime(handlers) {}
    }

    /// Nobody waits for the model any more.
    package func giveUp() {
        let handlers = state.withLock { state in
            guard !state.isOver else { return [@Sendable () -> Void]() }
            state.isGivenUp = true
            defer { state.handlers = [] }
            return state.handlers
        }
        for handler in handlers { handler() }
    }
}
