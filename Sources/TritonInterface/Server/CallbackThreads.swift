internal import DequeModule
internal import Tensors
internal import Threads

/// The threads on which programs are called that can't be called where the news is: on their own thread, or under a
/// lock. A callback may block, and hand in more: as long as all threads are in one there is another for the next.
final class CallbackThreads: Sendable {
    static let shared = CallbackThreads()

    private struct State {
        var jobs: Deque<@Sendable () -> Void> = []
        var idle = 0
        var count = 0
    }

    /// How long a thread waits for more before it ends, in nanoseconds.
    private static let patience: UInt64 = 10_000_000_000
    private static let limit = 512

    private let state = Locked(State())
    private let changed = Signal()
    private let clock = SystemClock()

    func run(_ job: @escaping @Sendable () -> Void) {
        let needsThread = state.withLock { state in
            state.jobs.append(job)
            guard state.jobs.count > state.idle, state.count < Self.limit else { return false }
            state.count += 1
            return true
        }
        guard needsThread else { return changed.notify() }
        do {
            try WorkerThread.detach(name: "callbacks") { self.work() }
        } catch {
            // No other thread can be started, so this one does it.
            let job = state.withLock { state in
                state.count -= 1
                return state.jobs.popFirst()
            }
            job?()
        }
    }

    private func work() {
        while let job = next() { job() }
    }

    private func next() -> (@Sendable () -> Void)? {
        if let job = state.withLock({ $0.jobs.popFirst() }) { return job }
        var job: (@Sendable () -> Void)?
        state.withLock { $0.idle += 1 }
        _ = changed.wait(until: clock.now() &+ Self.patience, clock: clock) {
            state.withLock { job = $0.jobs.popFirst() }
            return job != nil
        }
        state.withLock { state in
            state.idle -= 1
            // Between the end of the wait and now there may have come one.
            if job == nil { job = state.jobs.popFirst() }
            if job == nil { state.count -= 1 }
        }
        return job
    }
}
