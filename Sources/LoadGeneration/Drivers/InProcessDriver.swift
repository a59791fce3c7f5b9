internal import Synchronization
internal import Tensors
internal import Threads

/// Puts a load on a server in this process: as many threads as requests may be under way, each with one at a time.
final class InProcessDriver: LoadDriver {
    private static let mostThreads = 4096
    /// Nanoseconds behind its time from which a request counts as late: less is the system's waking of threads.
    private static let late: UInt64 = 1_000_000

    private struct State {
        var counts = LoadCounts()
        var schedule: ArrivalSchedule?
        var running = 0
    }

    private let state = Locked(State())
    private let isStopped = Atomic<Bool>(false)
    private let changed = Signal()
    private let clock = SystemClock()
    private let start: UInt64
    private let isClosedLoop: Bool
    private let isStream: Bool
    private let run: @Sendable (RequestCursor.Next) -> InProcessCall
    private let patience: UInt64

    /// - Parameter run: does a request, and returns when it is over.
    init(
        _ load: Load, _ options: LoadOptions, form: RequestForm, firstSequence: UInt64,
        run: @escaping @Sendable (RequestCursor.Next) -> InProcessCall
    ) throws(HalcyonError) {
        let width = options.width(load)
        guard width <= Self.mostThreads else {
            throw HalcyonError(
                .invalidArgument,
                "in this process at most \(Self.mostThreads) requests can be under way, as each has a thread; got "
                    + "\(width)"
            )
        }
        self.run = run
        isStream = form.isStreaming
        patience = options.patience
        start = clock.now()
        let schedule = ArrivalSchedule(load, seed: options.seed)
        isClosedLoop = schedule == nil
        state.withLock { state in
            state.schedule = schedule
            state.running = width
        }
        for lane in 0..<width {
            let cursor = RequestCursor(form, lane: lane, of: width, firstID: firstSequence)
            try WorkerThread.detach(name: "load \(lane)") { [self] in
                work(cursor)
                state.withLock { $0.running -= 1 }
                changed.notify()
            }
        }
    }

    private func work(_ cursor: RequestCursor) {
        var cursor = cursor
        while !isStopped.load(ordering: .relaxed) {
            guard let due = nextDue() else { break }
            perform(&cursor, due: due)
        }
        if cursor.isInSequence { _ = run(cursor.next(isLast: true)) }
    }

    /// Waits until a request is due; `nil` when no more is.
    private func nextDue() -> UInt64? {
        if isClosedLoop { return clock.now() }
        guard let due = state.withLock({ $0.schedule?.next() }).map({ start &+ $0 }) else { return nil }
        if clock.now() < due {
            _ = changed.wait(until: due, clock: clock) { isStopped.load(ordering: .relaxed) }
            if isStopped.load(ordering: .relaxed) { return nil }
        } else if clock.now() &- due > Self.late {
            state.withLock { $0.counts.wasLate() }
        }
        return due
    }

    private func perform(_ cursor: inout RequestCursor, due: UInt64) {
        let call = run(cursor.next())
        let now = clock.now()
        state.withLock { state in
            if let error = call.error {
                state.counts.failed(String("\(error)".prefix(200)))
            } else {
                state.counts.succeeded(
                    now &- due, first: isStream && call.responses > 0 ? call.first &- due : nil,
                    responses: isStream ? call.responses : 1)
            }
        }
        if call.error != nil, cursor.isInSequence { cursor.begin() }
    }

    func take() -> LoadCounts {
        state.withLock { state in
            let taken = state.counts
            state.counts = LoadCounts()
            return taken
        }
    }

    var succeeded: Int { state.withLock { $0.counts.requests } }
    var failure: HalcyonError? { nil }
    var isOver: Bool { state.withLock { $0.running == 0 } }

    func stop() {
        isStopped.store(true, ordering: .relaxed)
        changed.notify()
        _ = changed.wait(until: clock.now() &+ patience, clock: clock) { isOver }
    }
}
