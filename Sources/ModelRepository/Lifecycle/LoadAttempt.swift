internal import ModelRuntime
package import Tensors
internal import Threads

/// One wish to have a model loaded, which can be given up: by who wished it, by an unload of the model, and when the
/// server stops.
package final class LoadAttempt: Sendable {
    private struct State {
        var reason: HalcyonError?
        var onGivingUp: [@Sendable () -> Void] = []
    }

    private let state = Locked(State())

    package init() {}

    /// Why it was given up; `nil` where it was not.
    package var reason: HalcyonError? { state.withLock { $0.reason } }

    /// Gives it up. The first reason stands.
    package func giveUp(_ reason: HalcyonError) {
        let actions = state.withLock { state in
            if state.reason == nil { state.reason = reason }
            defer { state.onGivingUp = [] }
            return state.onGivingUp
        }
        for action in actions { action() }
    }

    /// Has something done when it is given up, or now if it is.
    func onGivingUp(_ action: @escaping @Sendable () -> Void) {
        let isGivenUp = state.withLock { state in
            if state.reason == nil { state.onGivingUp.append(action) }
            return state.reason != nil
        }
        if isGivenUp { action() }
    }
}
