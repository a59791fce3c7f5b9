private import CPlatform
internal import DequeModule
internal import Tensors

/// A few threads for work whose length a client decides: reading and writing long texts, compressing, decompressing. An
/// event loop or an instance hands it over and goes on with others.
///
/// One thread takes short work only, so that what takes seconds holds up nothing but its like.
package final class WorkPool: Sendable {
    /// Bytes of a text up to which it is read or written at once, by the thread that has it: a millisecond's work or
    /// less.
    package static let immediate = 64 << 10
    /// Bytes up to which work is short.
    private static let short = 1 << 20

    private struct State {
        var short: Deque<@Sendable () -> Void> = []
        var long: Deque<@Sendable () -> Void> = []
        var hasStarted = false
        var isStopped = false
    }

    private final class Shared: Sendable {
        let state = Locked(State())
        let changed = Signal()
        let clock = SystemClock()

        func work(takesLong: Bool) {
            while let job = next(takesLong: takesLong) { job() }
        }

        private func next(takesLong: Bool) -> (@Sendable () -> Void)? {
            var job: (@Sendable () -> Void)?
            var isStopped = false
            _ = changed.wait(until: nil, clock: clock) {
                state.withLock { state in
                    job = (takesLong ? state.long.popFirst() : nil) ?? state.short.popFirst()
                    isStopped = state.isStopped
                }
                return job != nil || isStopped
            }
            return job
        }
    }

    private let shared = Shared()
    private let longCount: Int

    /// - Parameter longCount: threads that take any work, beside the one that takes short work; 0 for no threads at
    ///   all: the caller's does it.
    package init(longCount: Int) { self.longCount = longCount }

    deinit {
        shared.state.withLock { $0.isStopped = true }
        shared.changed.notify()
    }

    /// Has the work done by one of the threads.
    ///
    /// - Parameter byteCount: how much there is to read or write; its length is judged by that.
    package func run(_ byteCount: Int, _ job: @escaping @Sendable () -> Void) {
        guard longCount > 0, start() else { return job() }
        shared.state.withLock { state in
            if byteCount <= Self.short { state.short.append(job) } else { state.long.append(job) }
        }
        shared.changed.notify()
    }

    /// - Returns: whether there are threads: the system may refuse them.
    private func start() -> Bool {
        shared.state.withLock { state in
            if state.hasStarted { return true }
            do {
                for index in (0...longCount).reversed() {
                    try WorkerThread.detach(name: index == 0 ? "short work" : "long work") { [shared] in
                        // What serves a few gives way to what serves all.
                        halcyon_lower_priority(index == 0 ? 1 : 5)
                        shared.work(takesLong: index > 0)
                    }
                    state.hasStarted = true
                }
            } catch {
                // With at least one thread work gets done, if later.
            }
            return state.hasStarted
        }
    }
}
