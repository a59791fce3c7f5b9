internal import ModelRuntime
internal import Synchronization
internal import Threads

/// A load at the server's start, on a thread of its own.
final class BackgroundLoad: Sendable {
    private let isDone = Atomic<Bool>(false)
    private let done = Signal()
    private let clock: any SchedulingClock

    init(clock: any SchedulingClock, _ body: @escaping @Sendable () -> Void) {
        self.clock = clock
        let run: @Sendable () -> Void = { [self] in
            body()
            isDone.store(true, ordering: .releasing)
            done.notify()
        }
        do {
            try WorkerThread.detach(name: "load", run)
        } catch {
            // No other thread can be started, so this one blocks.
            run()
        }
    }

    /// Waits until it is done.
    ///
    /// - Parameter patience: nanoseconds; `nil` for as long as it takes.
    func wait(patience: UInt64? = nil) {
        let limit = patience.flatMap { patience in
            let (limit, overflow) = clock.now().addingReportingOverflow(patience)
            return overflow ? nil : limit
        }
        _ = done.wait(until: limit, clock: clock) { self.isDone.load(ordering: .acquiring) }
    }
}
