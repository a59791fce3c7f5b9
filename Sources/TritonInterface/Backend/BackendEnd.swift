internal import Tensors
internal import Threads

/// How far a backend has come with being taken apart. That is done by whoever lets go of it last, which may be a thread
/// that is just coming back from the last instance: a program that ends meanwhile would leave files behind.
final class BackendEnd: Sendable {
    private enum State {
        case ahead, begun, over
    }

    private let state = Locked(State.ahead)
    private let changed = Signal()
    private let clock: any SchedulingClock

    /// How long somebody may still hold the backend when all its models have gone, in nanoseconds: who holds it longer
    /// waits for an instance that does not come back.
    static let patience: UInt64 = 1_000_000_000
    /// How long a backend may take for it.
    static let duration: UInt64 = 30_000_000_000

    init(clock: any SchedulingClock = SystemClock()) { self.clock = clock }

    func begin() { note(.begun) }

    /// It is taken apart, or nobody will.
    func end() { note(.over) }

    private func note(_ state: State) {
        self.state.withLock { $0 = state }
        changed.notify()
    }

    /// Waits until it is taken apart, or nobody has begun to for a while.
    ///
    /// - Returns: whether it is not stuck: it is taken apart, or not yet begun.
    @discardableResult
    func wait() -> Bool {
        let hasBegun = changed.wait(until: clock.now().adding(Self.patience), clock: clock) {
            state.withLock { $0 != .ahead }
        }
        guard hasBegun else { return true }
        return changed.wait(until: clock.now().adding(Self.duration), clock: clock) { state.withLock { $0 == .over } }
    }
}
