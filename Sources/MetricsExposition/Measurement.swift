internal import ModelRuntime
internal import Threads

/// A value that is measured on a thread of its own, as measuring may take its time; what was measured last stands
/// meanwhile.
final class Measurement<Value: Sendable>: Sendable {
    private struct State {
        var latest: Value
        var isUnderWay = false
    }

    private let measure: @Sendable () -> Value
    private let state: Locked<State>

    /// - Parameter measure: is called at once, and then by one thread at a time.
    init(_ measure: @escaping @Sendable () -> Value) {
        self.measure = measure
        state = Locked(State(latest: measure()))
    }

    var latest: Value { state.withLock(\.latest) }

    /// Measures again, unless that is being done: where a driver hangs, one thread waits for it and no more.
    ///
    /// - Parameter start: runs what it gets elsewhere.
    func begin(
        on start: (@escaping @Sendable () -> Void) throws -> Void = { try WorkerThread.detach(name: "meter", $0) }
    ) {
        let isFirst = state.withLock { state in
            defer { state.isUnderWay = true }
            return !state.isUnderWay
        }
        guard isFirst else { return }
        do {
            try start { [self] in
                let value = measure()
                state.withLock { $0 = State(latest: value) }
            }
        } catch {
            state.withLock { $0.isUnderWay = false }
        }
    }
}
