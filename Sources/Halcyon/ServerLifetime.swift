internal import Logging
internal import ModelRepository
internal import ModelRuntime
internal import Synchronization
internal import Tensors
internal import Threads
internal import TritonInterface

/// A server from its start to its end: the threads that load what is to be loaded at start, and how all of them stop.
///
/// What runs in the background holds this and never the ``InferenceServer``, so that letting go of the server is
/// noticed, and ends it.
final class ServerLifetime: Sendable {
    private enum Phase: Equatable {
        case starting
        case running
        case stopping
        case stopped
    }

    let manager: ModelManager
    let options: ServerOptions
    let clock: any SchedulingClock
    let poller: RepositoryPoller?
    private let timer: DeadlineTimer
    private let phase = Locked(Phase.starting)
    private let phaseChanged = Signal()
    /// For tasks: that the server is being stopped, and that it has been.
    let stopping = TaskGate()
    let stopped = TaskGate()
    /// Loads what is to be loaded at start; joined when the server stops.
    private let startup = Locked<WorkerThread?>(nil)
    private let isStartupOver = Atomic<Bool>(false)
    /// What makes models of the built-in examples slow: while they are loaded, and while they execute.
    private let pauses: (loading: Pauses, executing: Pauses)
    /// How long requests may take to finish at the end, in nanoseconds.
    private let exitTimeout: Atomic<UInt64>
    /// Whether a repository could not be read at start, and since.
    private let lacksRepository = Atomic<Bool>(false)
    /// Why nothing could be loaded at start, where a repository lies elsewhere.
    private let startFailure = Locked<HalcyonError?>(nil)

    init(
        _ options: ServerOptions, manager: ModelManager, timer: DeadlineTimer, clock: any SchedulingClock,
        pauses: (loading: Pauses, executing: Pauses)
    ) {
        self.options = options
        self.manager = manager
        self.timer = timer
        self.clock = clock
        self.pauses = pauses
        exitTimeout = Atomic(options.exitTimeout.wholeNanoseconds)
        poller =
            options.modelControlMode == .poll
            ? RepositoryPoller(
                manager: manager, interval: max(1, options.repositoryPollInterval.wholeNanoseconds), clock: clock,
                log: options.log) : nil
    }

    // MARK: Start

    /// Starts the thread that loads what is to be loaded at start.
    ///
    /// - Throws: `invalidArgument` for names that can't be meant; as ``ModelManager/modelKeys(isLenient:)``.
    func start() throws(HalcyonError) {
        try checkStartupModels()
        // What lies elsewhere is brought here by the thread: ports can be opened meanwhile.
        let names = manager.hasSources ? nil : try startupNames()
        if let complaint = manager.repositoryComplaint() {
            options.log.error(
                "a model repository can't be read: the server is not ready",
                metadata: ["reason": "\(complaint.message)"])
            lacksRepository.store(true, ordering: .releasing)
        }
        let thread = try WorkerThread(name: "startup") { self.loadAtStart(names ?? self.fetchedNames()) }
        startup.withLock { $0 = thread }
    }

    /// Has the sources bring their repositories.
    ///
    /// - Returns: what is to be loaded at start; nothing where a source fails.
    private func fetchedNames() -> [String] {
        do throws(HalcyonError) {
            try manager.updateSources(options.modelControlMode == .explicit ? .names : .everything)
            let names = try startupNames()
            poller?.beginAnew(isComplete: true)
            return names
        } catch {
            startFailure.withLock { $0 = error }
            lacksRepository.store(true, ordering: .releasing)
            poller?.beginAnew(isComplete: false)
            if phase.withLock({ $0 == .starting }) {
                options.log.error(
                    "a model repository can't be read: the server is not ready",
                    metadata: ["reason": "\(error.message)"])
            }
            return []
        }
    }

    /// Why nothing could be loaded at start; `nil` where it could be tried.
    var reasonOfStart: HalcyonError? { startFailure.withLock { $0 } }

    private func checkStartupModels() throws(HalcyonError) {
        let names = options.startupModels
        guard options.modelControlMode == .explicit || names.isEmpty else {
            throw HalcyonError(
                .invalidArgument,
                "Error: Invalid startup models, models to load at start (--load-model) can only be named in "
                    + "explicit model-control mode (--model-control-mode=explicit)")
        }
        guard !names.contains("*") || names.count == 1 else {
            throw HalcyonError(
                .invalidArgument,
                "Wildcard model name '*' must be the ONLY startup model if specified at all: leave out '*', or "
                    + "the names "
                    + names.filter { $0 != "*" }.joined(separator: ", "))
        }
    }

    private func startupNames() throws(HalcyonError) -> [String] {
        if options.modelControlMode == .explicit, !options.startupModels.contains("*") { return options.startupModels }
        return try manager.modelKeys(isLenient: !options.requiresRepositories)
    }

    private func loadAtStart(_ names: [String]) {
        for name in SharedMemoryLeftovers.remove() {
            options.log.notice(
                "removed shared memory of Python models whose server is gone", metadata: ["region": "\(name)"])
        }
        for folder in PrivateRepository.removeLeftovers() {
            options.log.notice(
                "removed what a process left that could not clean up after itself", metadata: ["folder": "\(folder)"])
        }
        let left = Locked(names[...])
        let loads = Locked<[BackgroundLoad]>([])
        let work: @Sendable () -> Void = {
            while self.phase.withLock({ $0 == .starting }), let name = left.withLock({ $0.popFirst() }) {
                let load = BackgroundLoad(clock: self.clock) { [self] in
                    do {
                        // The steps of an ensemble may have been loaded with it.
                        let isFetched = options.modelControlMode != .explicit
                        try manager.load(name, evenIfLoaded: false, isFetched: isFetched)
                    } catch {
                        // A server that is being stopped refuses the rest, which is no fault of theirs.
                        guard phase.withLock({ $0 == .starting }) else { return }
                        options.log.error("model failed to load", metadata: ["model": "\(name)", "error": "\(error)"])
                    }
                }
                loads.withLock { $0.append(load) }
                // One that hangs holds up none behind it.
                load.wait(patience: LoadPermits.patience)
            }
        }
        let helpers = (1..<max(2, min(options.modelLoadCount, names.count))).compactMap { _ in
            try? WorkerThread(name: "load", work)
        }
        work()
        for helper in helpers { helper.join() }
        for load in loads.withLock({ $0 }) { load.wait() }
        phase.withLock { if $0 == .starting { $0 = .running } }
        if phase.withLock({ $0 == .running }) {
            do {
                try poller?.start()
            } catch {
                options.log.error("polling", metadata: ["error": "\(error)"])
            }
        }
        isStartupOver.store(true, ordering: .releasing)
        phaseChanged.notify()
    }

    /// Blocks until the models that are loaded at start are, or have failed.
    func waitForStart() {
        _ = phaseChanged.wait(until: nil, clock: clock) { self.phase.withLock { $0 != .starting } }
    }

    // MARK: State

    var isLive: Bool { phase.withLock { $0 != .stopped } }

    var isReady: Bool {
        phase.withLock { $0 == .running } && hasRepositories && (!options.isReadinessStrict || manager.areModelsReady)
    }

    /// Whether the repositories could be read at start, or could later, where what they have may still be loaded.
    private var hasRepositories: Bool {
        guard lacksRepository.load(ordering: .acquiring) else { return true }
        let isThere =
            switch options.modelControlMode {
            case .none: false
            case .explicit: manager.repositoryComplaint() == nil
            case .poll: poller?.isCaughtUp == true
            }
        if isThere { lacksRepository.store(false, ordering: .releasing) }
        return isThere
    }

    // MARK: Stopping

    /// Has requests that are under way when the server stops take at most so long.
    func set(exitTimeout: Duration) { self.exitTimeout.store(exitTimeout.wholeNanoseconds, ordering: .relaxed) }

    /// Blocks until somebody has stopped it.
    func waitForStop() {
        _ = phaseChanged.wait(until: nil, clock: clock) { self.phase.withLock { $0 == .stopped } }
    }

    /// Takes nothing new from now on.
    ///
    /// - Returns: whether this call was the first, whose caller has to ``stop()``.
    func beginStop() -> Bool {
        let isFirst = phase.withLock { phase in
            defer { if phase != .stopped { phase = .stopping } }
            return phase == .starting || phase == .running
        }
        phaseChanged.notify()
        if isFirst { stopping.open() }
        return isFirst
    }

    /// Finishes what waits within the exit timeout, and ends all threads. Blocks; called once, after ``beginStop()``.
    func stop() -> ShutdownReport {
        let (limit, overflow) = clock.now().addingReportingOverflow(exitTimeout.load(ordering: .relaxed))
        let deadline = overflow ? nil : limit
        manager.close()
        pauses.loading.end()
        poller?.stop()
        let dropped = manager.stop(deadline: deadline)
        // A model that is still being loaded can't be interrupted, and is not waited for beyond the deadline. A server
        // that could not start loads nothing.
        if let startup = startup.withLock({ $0.take() }) {
            let isStarted = phaseChanged.wait(until: deadline, clock: clock) {
                self.isStartupOver.load(ordering: .acquiring)
            }
            if isStarted { startup.join() } else { startup.detach() }
        }
        pauses.executing.end()
        timer.stop()
        manager.closeBackends()
        for (name, count) in dropped.sorted(by: { $0.key < $1.key }) {
            options.log.warning("dropped at shutdown", metadata: ["model": "\(name)", "requests": "\(count)"])
        }
        phase.withLock { $0 = .stopped }
        phaseChanged.notify()
        stopped.open()
        return ShutdownReport(droppedRequests: dropped)
    }

    /// Stops on a thread of its own, for a server that was released and that nobody waits for.
    func abandon() {
        guard beginStop() else { return }
        options.log.notice("the server was let go of without shutdown(): it stops by itself")
        AbandonedServers.begin()
        // The engines go with the last reference, which the thread releases before it says that it is done.
        let last = Locked<ServerLifetime?>(self)
        do {
            try WorkerThread.detach(name: "shutdown") {
                _ = last.withLock { $0.take() }?.stop()
                AbandonedServers.end()
            }
        } catch {
            // Without another thread, what can be done without waiting is: the caller may be a thread of the server.
            manager.close()
            AbandonedServers.end()
        }
    }
}
