internal import DequeModule
internal import Tensors
internal import Threads

/// The threads on which programs are called that can't be called where the news is: on their own thread, or under a
/// lock. A callback may block, and hand in more: as long as jobs wait there is another thread on its way to them, and
/// never more than one at a time, so that short jobs wake few.
final class CallbackThreads: Sendable {
    static let shared = CallbackThreads()

    private struct State {
        var jobs: Deque<@Sendable () -> Void> = []
        var idle: [Parker] = []
        /// Threads that were woken or started and have not looked for a job yet.
        var coming = 0
        var count = 0

        /// Who is to come where jobs wait and nobody is on the way.
        mutating func help() -> Help {
            guard !jobs.isEmpty, coming == 0 else { return .none }
            if let parker = idle.popLast() {
                coming += 1
                return .wake(parker)
            }
            guard count < limit else { return .none }
            coming += 1
            count += 1
            return .start
        }
    }

    private enum Help {
        case none
        case wake(Parker)
        case start
    }

    private enum Step {
        case run(@Sendable () -> Void, Help)
        case sleep
    }

    /// How long a thread waits for more before it ends, in nanoseconds.
    private static let patience: UInt64 = 10_000_000_000
    private static let limit = 512

    private let state = Locked(State())
    private let clock = SystemClock()

    func run(_ job: @escaping @Sendable () -> Void) {
        let help = state.withLock { state in
            state.jobs.append(job)
            return state.help()
        }
        call(help)
    }

    private func call(_ help: Help) {
        switch help {
        case .none: break
        case .wake(let parker): parker.unpark()
        case .start:
            do {
                try WorkerThread.detach(name: "callbacks") { self.work() }
            } catch {
                // No other thread can be started, so this one does what waits.
                state.withLock { state in
                    state.coming -= 1
                    state.count -= 1
                }
                while let job = state.withLock({ $0.jobs.popFirst() }) { job() }
            }
        }
    }

    private func work() {
        let parker = Parker()
        var isComing = true
        while true {
            let step = state.withLock { state -> Step in
                if isComing { state.coming -= 1 }
                guard let job = state.jobs.popFirst() else {
                    state.idle.append(parker)
                    return .sleep
                }
                return .run(job, state.help())
            }
            isComing = false
            switch step {
            case .run(let job, let help):
                call(help)
                job()
            case .sleep:
                guard isWoken(parker) else { return }
                isComing = true
            }
        }
    }

    /// Sleeps until there is something to do.
    ///
    /// - Returns: `false` where there was nothing for so long that the thread ends.
    private func isWoken(_ parker: Parker) -> Bool {
        let deadline = clock.now() &+ Self.patience
        while true {
            clock.park(parker, until: deadline)
            let isOver = clock.now() >= deadline
            let verdict = state.withLock { state -> Bool? in
                // Who wakes it takes it off the list.
                guard let index = state.idle.firstIndex(where: { $0 === parker }) else { return true }
                guard isOver else { return nil }
                state.idle.remove(at: index)
                state.count -= 1
                return false
            }
            if let verdict { return verdict }
        }
    }
}
