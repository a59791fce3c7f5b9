internal import Scheduling
internal import Tensors
internal import Threads

/// Where an ensemble's requests come in: it starts as many at a time as may run, and ends those that wait for too long.
/// What is decided is ``EnsembleAdmission``'s.
final class EnsembleGate: Sendable {
    private struct State {
        var admission: EnsembleAdmission
        /// Those that the admission knows by number.
        var waiting = RequestTable<EnsembleRun>()

        mutating func next() -> EnsembleRun? { admission.next().flatMap { waiting.remove($0) } }
    }

    /// Whether the number of those that run is bounded.
    private let isLimited: Bool
    private let clock: any SchedulingClock
    private let timer: DeadlineTimer
    private let state: Locked<State>
    private let drained = Signal()

    /// - Parameter limit: requests that may run at a time; 0 for any number.
    init(limit: Int, clock: any SchedulingClock, timer: DeadlineTimer) {
        isLimited = limit > 0
        self.clock = clock
        self.timer = timer
        state = Locked(State(admission: EnsembleAdmission(limit: limit)))
    }

    var waitingCount: Int { state.withLock { $0.admission.waitingCount } }

    /// - Parameter timeout: how long it may wait; 0 for as long as it takes.
    func enter(_ run: EnsembleRun, timeout: Nanoseconds, arrival: UInt64) -> EnsembleAdmission.Entry {
        let (entry, expiry) = state.withLock { state in
            let id = state.waiting.add(run)
            let entry = state.admission.enter(id, timeout: timeout, now: arrival)
            guard case .waits = entry else {
                _ = state.waiting.remove(id)
                return (entry, Nanoseconds?.none)
            }
            return (entry, timeout > 0 ? state.admission.nextExpiry() : nil)
        }
        if let expiry { timer.arm(self, at: expiry) }
        return entry
    }

    /// Starts what may start, where there is a limit, one after the other.
    func startNext() {
        var next = state.withLock { $0.next() }
        while let run = next {
            run.start()
            next = state.withLock { state in
                state.admission.started()
                return state.next()
            }
        }
    }

    /// A request has ended that was started.
    func ended() {
        state.withLock { $0.admission.ended() }
        if isLimited { startNext() }
        if state.withLock({ $0.admission.isDraining && $0.admission.isIdle }) { drained.notify() }
    }

    /// Takes out a request that has not started, if it has not.
    func withdraw(_ handle: RequestHandle) {
        state.withLock { state in
            guard let id = state.admission.withdraw(handle) else { return }
            _ = state.waiting.remove(id)
        }
    }

    /// Lets nothing in any more, and waits for what runs.
    ///
    /// - Returns: what had not started by the deadline.
    func close(deadline: UInt64?) -> [EnsembleRun] {
        state.withLock { $0.admission.drain() }
        _ = drained.wait(until: deadline, clock: clock) { self.state.withLock { $0.admission.isIdle } }
        timer.disarm(self)
        return state.withLock { state in
            state.admission.abandon().compactMap { state.waiting.remove($0) }
        }
    }
}

extension EnsembleGate: DeadlineTimer.Target {
    /// Ends the requests that have waited for too long.
    func deadlinePassed(now: UInt64) -> UInt64? {
        let (expired, next) = state.withLock { state in
            (
                state.admission.expire(now: now).compactMap { state.waiting.remove($0) }, state.admission.nextExpiry()
            )
        }
        for run in expired {
            run.fail(HalcyonError(.unavailable, "Request timeout expired"), cause: .rejected(.timeout))
        }
        return next
    }
}
