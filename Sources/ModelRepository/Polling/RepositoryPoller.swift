package import Logging
package import ModelRuntime
package import Tensors

/// Looks at the repositories now and then, and loads and unloads what has come, changed and gone.
package final class RepositoryPoller: Sendable {
    private let manager: ModelManager
    private let interval: UInt64
    private let clock: any SchedulingClock
    private let log: Logger
    private let policy: Locked<PollPolicy>
    private let isStopped = Locked(false)
    private let stopped = Signal()
    private let worker = Locked<WorkerThread?>(nil)

    /// Made before the models are loaded at start, so that what changes meanwhile is noticed.
    ///
    /// - Parameter interval: nanoseconds between two looks.
    package init(manager: ModelManager, interval: UInt64, clock: any SchedulingClock, log: Logger) {
        self.manager = manager
        self.interval = interval
        self.clock = clock
        self.log = log
        policy = Locked(PollPolicy(loaded: (manager.fingerprints() ?? [:]).compactMapValues { $0 }))
    }

    /// Looks from now on, on a thread of its own.
    ///
    /// - Throws: `internal` where the system refuses another thread.
    package func start() throws(HalcyonError) {
        let thread = try WorkerThread(name: "poll") { [self] in
            while true {
                let (next, overflow) = clock.now().addingReportingOverflow(interval)
                if stopped.wait(until: overflow ? nil : next, clock: clock, { self.isStopped.withLock { $0 } }) {
                    return
                }
                poll()
            }
        }
        worker.withLock { $0 = thread }
    }

    /// One look, and what follows from it.
    package func poll() {
        // A repository that can't be read at the moment has not lost its models.
        guard let present = manager.fingerprints() else {
            log.warning("the model repositories can't be read: nothing is loaded or unloaded")
            return
        }
        let actions = PollOrder.sorted(
            policy.withLock { $0.actions(for: present) }, needs: manager.stepsInRepository(of:),
            needed: manager.servedSteps(of:))
        for action in actions { perform(action) }
        // What depends on what has changed may be right by now.
        if !actions.isEmpty { for name in manager.sickEnsembles() { perform(.load(name)) } }
    }

    private func perform(_ action: PollPolicy.Action) {
        do throws(HalcyonError) {
            switch action {
            case .load(let name): try manager.load(name, retirement: .inBackground)
            case .unload(let name): try manager.takeOut(name)
            }
        } catch {
            // One that never served has nothing to unload.
            if case .unload = action, error.code == .notFound { return }
            log.error("polling", metadata: ["action": "\(action)", "error": "\(error)"])
        }
    }

    /// Looks no more. What is being loaded is finished first.
    package func stop() {
        isStopped.withLock { $0 = true }
        stopped.notify()
        worker.withLock { $0.take() }?.join()
    }
}
