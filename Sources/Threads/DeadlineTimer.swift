internal import Tensors

/// Calls back when the timeout of a waiting request passes, to the microsecond and not when a worker next looks.
///
/// One thread serves all models of a server. It starts with the first request that has a timeout.
package final class DeadlineTimer: Sendable {
    /// What is called at a deadline. It says when it wants to be called next; `nil` for not until armed again.
    package protocol Target: AnyObject, Sendable {
        func deadlinePassed(now: UInt64) -> UInt64?
    }

    private struct State {
        var deadlines: [ObjectIdentifier: (deadline: UInt64, target: any Target)] = [:]
        var thread: WorkerThread?
        var isStopped = false
    }

    private let state = Locked(State())
    private let parker = Parker()
    private let clock: any SchedulingClock

    package init(clock: any SchedulingClock) { self.clock = clock }

    /// Has the target called at `deadline`, in nanoseconds, or earlier if an earlier one is set already.
    package func arm(_ target: any Target, at deadline: UInt64) {
        let isEarliest = state.withLock { state -> Bool in
            guard !state.isStopped else { return false }
            let key = ObjectIdentifier(target)
            if let known = state.deadlines[key], known.deadline <= deadline { return false }
            let earliest = state.deadlines.values.map(\.deadline).min() ?? .max
            state.deadlines[key] = (deadline, target)
            if state.thread == nil { state.thread = try? WorkerThread(name: "deadlines") { self.run() } }
            return deadline < earliest
        }
        if isEarliest { parker.unpark() }
    }

    /// Forgets a target.
    package func disarm(_ target: any Target) {
        state.withLock { $0.deadlines[ObjectIdentifier(target)] = nil }
    }

    private func run() {
        while true {
            let now = clock.now()
            let (due, next, isStopped) = state.withLock { state -> ([any Target], UInt64?, Bool) in
                let due = state.deadlines.filter { $0.value.deadline <= now }
                for key in due.keys { state.deadlines[key] = nil }
                return (due.values.map(\.target), state.deadlines.values.map(\.deadline).min(), state.isStopped)
            }
            if isStopped { return }
            for target in due {
                if let again = target.deadlinePassed(now: now) { arm(target, at: again) }
            }
            if due.isEmpty { clock.park(parker, until: next) }
        }
    }

    /// Ends the thread. Nothing is called after this returns.
    package func stop() {
        let thread = state.withLock { state -> WorkerThread? in
            state.isStopped = true
            state.deadlines = [:]
            return state.thread.take()
        }
        parker.unpark()
        thread?.join()
    }
}
