internal import ModelRuntime
internal import Tensors
internal import Threads

/// Work of a load that may hang, in an engine or in a file system, on a thread of its own: nothing can interrupt it,
/// but who waits for it can stop waiting.
final class DetachedWork<Value: Sendable>: Sendable {
    private enum State {
        case running
        case done(Result<Value, HalcyonError>)
        case abandoned
    }

    private let state = Locked(State.running)

    /// - Parameters:
    ///   - body: the work.
    ///   - discard: what becomes of a value that nobody waits for any more.
    ///   - ended: called when the body has returned, whoever waits; with whether nobody did.
    init(
        _ body: @escaping @Sendable () throws(HalcyonError) -> Value, discard: @escaping @Sendable (Value) -> Void,
        ended: @escaping @Sendable (_ wasAbandoned: Bool) -> Void
    ) {
        let run: @Sendable () -> Void = { [self] in
            let result = Result { () throws(HalcyonError) in try body() }
            let isWanted = state.withLock { state in
                guard case .running = state else { return false }
                state = .done(result)
                return true
            }
            if !isWanted, case .success(let value) = result { discard(value) }
            ended(!isWanted)
        }
        do {
            try WorkerThread.detach(name: "load", run)
        } catch {
            // No other thread can be started, so this one blocks.
            run()
        }
    }

    var isDone: Bool { state.withLock { if case .running = $0 { false } else { true } } }

    /// Waits for it no longer.
    ///
    /// - Returns: what has come of it, if it is done; `nil` where its value is to be discarded when it comes.
    func take() -> Result<Value, HalcyonError>? {
        state.withLock { state in
            guard case .done(let result) = state else {
                state = .abandoned
                return nil
            }
            return result
        }
    }
}
