package import Logging
internal import ModelRuntime
package import Tensors
package import Threads

/// Looks at the repositories now and then, and loads and unloads what has come, changed and gone.
package final class RepositoryPoller: Sendable {
    private struct State {
        var policy: PollPolicy
        /// Whether what the repositories had at the last look has been loaded, or tried to be.
        var isCaughtUp: Bool
        /// The loads that are under way, by key.
        var loads: [String: LoadAttempt] = [:]
        var isStopped = false
    }

    /// How long a load holds up the next look, in nanoseconds: one that takes longer goes on by itself.
    private static let patience: UInt64 = 30_000_000_000

    private let manager: ModelManager
    private let interval: UInt64
    private let clock: any SchedulingClock
    private let log: Logger
    private let state: Locked<State>
    private let changed = Signal()
    private let worker = Locked<WorkerThread?>(nil)

    /// Made before the models are loaded at start, so that what changes meanwhile is noticed.
    ///
    /// - Parameter interval: nanoseconds between two looks.
    package init(manager: ModelManager, interval: UInt64, clock: any SchedulingClock, log: Logger) {
        self.manager = manager
        self.interval = interval
        self.clock = clock
        self.log = log
        let found = try? manager.fingerprints()
        state = Locked(
            State(policy: PollPolicy(loaded: (found ?? [:]).compactMapValues { $0 }), isCaughtUp: found != nil))
    }

    /// Takes what the repositories have now for what is loaded at start: called when what lies elsewhere has been
    /// brought here, or could not be.
    ///
    /// - Parameter isComplete: whether it has been; otherwise nothing is loaded at start.
    package func beginAnew(isComplete: Bool) {
        let found = isComplete ? try? manager.fingerprints() : nil
        state.withLock {
            $0 = State(policy: PollPolicy(loaded: (found ?? [:]).compactMapValues { $0 }), isCaughtUp: found != nil)
        }
    }

    /// Whether the repositories could be read, and what they had has been loaded, or tried to be.
    package var isCaughtUp: Bool { state.withLock { $0.isCaughtUp } }

    /// Looks from now on, on a thread of its own.
    ///
    /// - Throws: `internal` where the system refuses another thread.
    package func start() throws(HalcyonError) {
        let thread = try WorkerThread(name: "poll") { [self] in
            while true {
                let (next, overflow) = clock.now().addingReportingOverflow(interval)
                if changed.wait(until: overflow ? nil : next, clock: clock, { self.state.withLock { $0.isStopped } }) {
                    return
                }
                poll()
            }
        }
        worker.withLock { $0 = thread }
    }

    /// One look, and what follows from it.
    package func poll() {
        let present: [String: UInt64?]
        do throws(HalcyonError) {
            try manager.updateSources(.everything)
            present = try manager.fingerprints()
        } catch {
            // A repository that can't be read at the moment has not lost its models.
            return log.warning(
                "the model repositories can't be read: nothing is loaded or unloaded",
                metadata: ["reason": "\(error.message)"])
        }
        let actions = PollOrder.sorted(
            state.withLock { $0.policy.actions(for: present) }, needs: manager.stepsInRepository(of:),
            needed: manager.servedSteps(of:))
        for action in actions { perform(action) }
        // What depends on what has changed may be right by now.
        if !actions.isEmpty { for name in manager.sickEnsembles() { perform(.load(name)) } }
        state.withLock { state in
            if state.policy.isSettled { state.isCaughtUp = true }
        }
    }

    private func perform(_ action: PollPolicy.Action) {
        do throws(HalcyonError) {
            switch action {
            case .load(let name): try load(name)
            case .unload(let name): try manager.takeOut(name)
            }
        } catch {
            log.error("polling", metadata: ["action": "\(action)", "error": "\(error)"])
        }
    }

    /// Loads a model and waits for it, but not for one that takes long. A load of it that is still under way is given
    /// up: what it loads is of yesterday.
    private func load(_ name: String) throws(HalcyonError) {
        let attempt = LoadAttempt()
        let earlier = state.withLock { $0.loads.updateValue(attempt, forKey: name) }
        earlier?.giveUp(
            HalcyonError(.unavailable, "the load was given up, as the model has changed in its repository meanwhile"))
        let work = DetachedWork<Void>(
            { [manager, log] in
                do throws(HalcyonError) {
                    try manager.load(name, isFetched: true, attempt: attempt)
                } catch {
                    log.error("polling", metadata: ["action": "load(\"\(name)\")", "error": "\(error)"])
                }
            }, discard: { _ in },
            ended: { [self] _ in
                state.withLock { if $0.loads[name] === attempt { $0.loads[name] = nil } }
                changed.notify()
            })
        let (limit, overflow) = clock.now().addingReportingOverflow(Self.patience)
        let isOver = changed.wait(until: overflow ? nil : limit, clock: clock) {
            work.isDone || self.state.withLock { $0.isStopped }
        }
        if !isOver {
            log.warning("a load takes long, and polling goes on beside it", metadata: ["model": "\(name)"])
        }
    }

    /// Looks no more.
    package func stop() {
        state.withLock { $0.isStopped = true }
        changed.notify()
        worker.withLock { $0.take() }?.join()
    }
}
