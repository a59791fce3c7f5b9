package import CUDADriver
internal import EngineSearch
internal import IdentityBackend
internal import LibraryFiles
internal import Logging
internal import ModelConfiguration
public import ModelRepository
internal import ModelRuntime
internal import ONNXRuntimeBackend
internal import OpenVINOBackend
internal import RepeatBackend
internal import Synchronization
public import Tensors

/// An inference server inside this process.
///
/// ```swift
/// let server = try InferenceServer(ServerOptions(repositoryPaths: ["models"]))
/// try await server.waitUntilReady()
/// let response = try await server.infer(
///     InferenceRequest(modelName: "simple", inputs: [try Tensor(name: "INPUT", shape: [1, 4], [1, 2, 3, 4] as [Float])]))
/// await server.shutdown()
/// ```
///
/// All methods may be called from any thread or task. A server that is let go without ``shutdown()`` keeps its threads
/// until the process ends.
public final class InferenceServer: Sendable {
    private enum Phase: Equatable {
        case starting
        case running
        case stopping
        case stopped
    }

    let manager: ModelManager
    /// The machine's, looked for when somebody needs one.
    package let gpus: GPUs
    private let cache: ResponseCache?
    private let options: ServerOptions
    private let phase = Locked(Phase.starting)
    private let phaseChanged = Signal()
    private let clock: any SchedulingClock
    private let timer: DeadlineTimer
    /// Loads what is to be loaded at start; joined when the server stops.
    private let startup = Locked<WorkerThread?>(nil)
    private let isStartupOver = Atomic<Bool>(false)
    private let poller: RepositoryPoller?
    /// What makes models of the built-in examples slow: while they are loaded, and while they execute.
    private let pauses: (loading: Pauses, executing: Pauses)
    /// Whether a repository could not be read at start, and since.
    private let lacksRepository = Atomic<Bool>(false)

    /// Starts a server. Models that are to be loaded at start are loaded in the background: see ``waitUntilReady()``.
    ///
    /// - Throws: `invalidArgument` or `notFound` for a repository that can't be read.
    public convenience init(_ options: ServerOptions) throws(HalcyonError) {
        try self.init(options, clock: SystemClock())
    }

    package init(_ options: ServerOptions, clock: any SchedulingClock) throws(HalcyonError) {
        self.options = options
        self.clock = clock
        timer = DeadlineTimer(clock: clock)
        let budget = options.cpuBudget ?? .detected()
        options.log.info("cpu budget", metadata: ["cores": "\(budget.cores)", "source": "\(budget.source)"])
        gpus = Self.gpus(options)
        pauses = (Pauses(clock: clock), Pauses(clock: clock))
        var loader = try Self.loader(
            options, backends: try Self.backends(options, gpus: gpus, cores: budget.cores, pauses: pauses), gpus: gpus,
            budget: budget, clock: clock, timer: timer)
        let cache = options.responseCacheByteSize > 0 ? ResponseCache(byteLimit: options.responseCacheByteSize) : nil
        loader.cache = cache
        if options.limitsRates {
            loader.resources = ResourceGate(
                stock: options.resources.map { .init(name: $0.name, count: $0.count, gpu: $0.gpu) })
        }
        loader.executionTimeout = UInt64(clamping: max(0, options.executionTimeout.nanoseconds))
        for (name, policy) in options.hostPolicies.sorted(by: { $0.key < $1.key }) {
            do {
                // Tried once, so that what can't be kept to is found now.
                try policy.bound {}
            } catch {
                throw error.prefixed("host policy '\(name)': ")
            }
        }
        loader.hostPolicies = options.hostPolicies
        loader.summaryQuantiles = options.summaryQuantiles
        self.cache = cache
        manager = ModelManager(
            loader: loader, loadCount: options.modelLoadCount,
            loadTimeout: UInt64(clamping: max(0, options.modelLoadTimeout.nanoseconds)))
        poller =
            options.modelControlMode == .poll
            ? RepositoryPoller(
                manager: manager, interval: UInt64(clamping: max(1, options.repositoryPollInterval.nanoseconds)),
                clock: clock, log: options.log) : nil
        let names = try startupNames()
        if let complaint = manager.repositoryComplaint() {
            options.log.error(
                "a model repository can't be read: the server is not ready",
                metadata: ["reason": "\(complaint.message)"])
            lacksRepository.store(true, ordering: .releasing)
        }
        let startup = try WorkerThread(name: "startup") { self.loadAtStart(names) }
        self.startup.withLock { $0 = startup }
    }

    private static func gpus(_ options: ServerOptions) -> GPUs {
        if let gpus = options.gpus { return gpus }
        var settings = GPUs.Options()
        settings.pinnedPoolByteSize = options.pinnedMemoryPoolByteSize
        settings.poolByteSizes = options.gpuMemoryPoolByteSizes
        settings.minimumComputeCapability = options.minimumComputeCapability
        return GPUs(options: settings)
    }

    private static func loader(
        _ options: ServerOptions, backends: [String: any Backend], gpus: GPUs, budget: CPUBudget,
        clock: any SchedulingClock, timer: DeadlineTimer
    ) throws(HalcyonError) -> ModelLoader {
        var repository = try ModelRepositoryReader(
            paths: options.repositoryPaths, allowsSameNames: options.allowsSameModelNames,
            mustExist: options.requiresRepositories)
        repository.followsLinks = options.followsLinks
        try repository.prefer(configuration: options.modelConfigurationName)
        var loader = ModelLoader(
            repository: repository,
            backends: backends,
            completion: .init(
                defaultMaxBatchSize: options.defaultMaxBatchSize, isEnabled: options.completesConfigurations),
            warmsUp: options.warmsUpModels, budget: budget, clock: clock, timer: timer, log: options.log)
        loader.defaultMaxBatchSizes = try BackendDefaults.maxBatchSizes(options.backendConfiguration)
        loader.gpus = { gpus.devices.map(\.number) }
        loader.minimumComputeCapability = options.minimumComputeCapability
        loader.memory = gpus
        return loader
    }

    /// What reads the repositories of a server that is not started.
    ///
    /// - Throws: `invalidArgument` or `notFound` for a repository that can't be read.
    package static func inspector(_ options: ServerOptions) throws(HalcyonError) -> ModelLoader {
        let clock = SystemClock()
        let gpus = gpus(options)
        let budget = options.cpuBudget ?? .detected()
        return try loader(
            options, backends: try backends(options, gpus: gpus, cores: budget.cores, pauses: (Pauses(), Pauses())),
            gpus: gpus, budget: budget, clock: clock, timer: DeadlineTimer(clock: clock))
    }

    private static func backends(
        _ options: ServerOptions, gpus: GPUs, cores: Int, pauses: (loading: Pauses, executing: Pauses)
    ) throws(HalcyonError) -> [String: any Backend] {
        let places = { (name: String) in Self.enginePlaces(name, options) }
        let (openVINO, onnxRuntime) = (places("openvino"), places("onnxruntime"))
        let settings = { (name: String) in BackendDefaults.settings(of: name, options) }
        var openVINOOptions = OpenVINOBackend.Options(
            libraryDirectories: openVINO.directories, configuration: settings("openvino"))
        openVINOOptions.absence = openVINO.absence
        var onnxRuntimeOptions = ONNXRuntimeBackend.Options(
            libraryDirectories: onnxRuntime.directories, configuration: settings("onnxruntime"), gpus: gpus,
            cores: cores)
        onnxRuntimeOptions.absence = onnxRuntime.absence
        let engines: [any Backend] = [
            OpenVINOBackend(options: openVINOOptions), ONNXRuntimeBackend(options: onnxRuntimeOptions),
        ]
        var backends: [String: any Backend] = [:]
        let examples: [any Backend] = [
            IdentityBackend(loading: pauses.loading, executing: pauses.executing),
            RepeatBackend(pauses: pauses.executing),
        ]
        for backend in engines + examples + options.backends {
            backends[backend.name] = backend
        }
        for name in options.backendConfiguration.keys.sorted() where !engines.contains(where: { $0.name == name }) {
            let settings = options.backendConfiguration[name]?.keys.sorted().joined(separator: ", ") ?? ""
            options.log.notice(
                "settings of a backend have no effect",
                metadata: [
                    "backend": "\(name)", "settings": "\(settings)",
                    "reason": "\(backends[name] == nil ? "there is no such backend" : "it takes none")",
                ])
        }
        return backends
    }

    /// The folders of an engine's libraries, and what to say where they hold none. The log says which is used, and why.
    private static func enginePlaces(
        _ name: String, _ options: ServerOptions
    ) -> (directories: [String], absence: LibraryAbsence) {
        guard let search = options.engineSearch else {
            return (options.backendDirectory.map { ["\($0)/\(name)"] } ?? [], LibraryAbsence())
        }
        let finding = search.look(for: name)
        for refusal in finding.refusals {
            options.log.warning("engine", metadata: ["engine": "\(name)", "notice": "\(refusal)"])
        }
        if let taken = finding.taken {
            options.log.info(
                "engine found",
                metadata: ["engine": "\(name)", "folder": "\(taken.folder)", "reason": "\(taken.place.origin.reason)"])
        } else {
            options.log.info(
                "engine not found; the system's library path is left",
                metadata: ["engine": "\(name)", "places": "\(finding.looks.map(\.folder).joined(separator: ", "))"])
        }
        return (finding.directories, finding.absence)
    }

    // MARK: Start

    private func startupNames() throws(HalcyonError) -> [String] {
        switch options.modelControlMode {
        case .none, .poll:
            guard options.startupModels.isEmpty else {
                throw HalcyonError(
                    .invalidArgument,
                    "Error: Invalid startup models, models to load at start (--load-model) can only be named in explicit "
                        + "model-control mode (--model-control-mode=explicit)")
            }
            return try manager.modelKeys(isLenient: !options.requiresRepositories)
        case .explicit:
            let names = options.startupModels
            guard names.contains("*") else { return names }
            guard names.count == 1 else {
                throw HalcyonError(
                    .invalidArgument,
                    "Wildcard model name '*' must be the ONLY startup model if specified at all: leave out '*', or the names "
                        + names.filter { $0 != "*" }.joined(separator: ", "))
            }
            return try manager.modelKeys(isLenient: !options.requiresRepositories)
        }
    }

    private func loadAtStart(_ names: [String]) {
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
                        try manager.load(name, evenIfLoaded: false)
                    } catch {
                        // A server that is being stopped refuses the rest, which is no fault of theirs.
                        guard phase.withLock({ $0 == .starting }) else { return }
                        options.log.error("model failed to load", metadata: ["model": "\(name)", "error": "\(error)"])
                    }
                }
                loads.withLock { $0.append(load) }
                // One that hangs holds up none behind it.
                load.wait(patience: LoadSlots.patience)
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

    /// Waits until the models that are loaded at start are, or have failed.
    ///
    /// - Throws: `unavailable` that names each model that failed and why; the others serve all the same.
    public func waitUntilReady() async throws {
        await onThread(name: "ready") {
            _ = self.phaseChanged.wait(until: nil, clock: self.clock) { self.phase.withLock { $0 != .starting } }
        }
        let failures = manager.failures()
        guard !failures.isEmpty else { return }
        let reasons = failures.map { "\($0.name): \($0.reason)" }.joined(separator: "\n")
        throw HalcyonError(.unavailable, "these models failed to load:\n\(reasons)")
    }

    // MARK: State

    /// Whether the server answers at all.
    public var isLive: Bool { phase.withLock { $0 != .stopped } }

    /// Whether the server takes requests: start is over, the repositories were there, and, where readiness is strict, every
    /// model serves that the server knows and that nobody has unloaded. What can't be read as a model is not known to it.
    public var isReady: Bool {
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

    /// Whether a load that was given up still runs, in the middle of an engine for the most part: a process that ends now
    /// should end at once.
    package var hasHangingLoads: Bool { manager.hasHangingLoads }

    public var metadata: ServerMetadata {
        ServerMetadata(
            name: "halcyon", version: Self.version,
            extensions: ["model_repository", "schedule_policy", "model_configuration", "statistics"])
    }

    /// The version of this library.
    public static let version = "0.1.0"

    // MARK: Models

    /// Loads a model, or loads it anew: the new version serves before the old one goes, and if it fails, the old one
    /// stays. This returns when the new one serves; the old one finishes its requests by itself. Cancelling the task gives
    /// the load up, and so does unloading the model.
    ///
    /// - Parameter override: what takes the place of the model's configuration and files in the repository; `nil` to
    ///   load what lies there.
    /// - Throws: `HalcyonError` with every complaint about the model's configuration, or what the engine says.
    public func loadModel(_ name: String, override: ModelOverride? = nil) async throws {
        let attempt = LoadAttempt()
        try await withTaskCancellationHandler {
            try await onThread(name: "load") {
                Result { () throws(HalcyonError) in
                    try self.manager.load(name, override: override, attempt: attempt)
                }
            }.get()
        } onCancel: {
            attempt.giveUp(
                HalcyonError(.cancelled, "the load was given up, as whoever wanted it has gone away meanwhile"))
        }
    }

    /// Unloads a model: it takes no new requests, and this returns when those it has are finished. One that is not loaded
    /// is unloaded already; loads of it that are under way are given up.
    ///
    /// - Parameter dependents: whether the models of an ensemble's steps are unloaded behind it, where no other ensemble
    ///   uses them.
    public func unloadModel(_ name: String, dependents: Bool = false) async throws {
        _ = try await onThread(name: "unload") {
            Result { () throws(HalcyonError) in
                if dependents { try self.manager.unloadWithDependents(name) } else { try self.manager.unload(name) }
            }
        }.get()
    }

    /// Whether a version of a model serves; any version where `version` is `nil`.
    public func isModelReady(_ name: String, version: Int64? = nil) -> Bool {
        manager.isReady(name, version: version)
    }

    /// The version that a request for the model would get.
    ///
    /// - Throws: `notFound` or `unavailable` for a model that is not served.
    public func modelVersion(_ name: String, version: Int64? = nil) throws(HalcyonError) -> Int64 {
        try manager.withModel(name, version: version) { $0.version }
    }

    /// Every model of the repositories with its state, by name.
    public func modelIndex() -> [ModelIndexEntry] { manager.index() }

    /// - Throws: `notFound` or `unavailable` for a model that is not served, as do the methods below.
    public func modelMetadata(_ name: String, version: Int64? = nil) throws(HalcyonError) -> ModelMetadata {
        let configuration = try modelConfiguration(name, version: version)
        let tensor = { (tensor: TensorConfiguration) in
            ModelMetadata.TensorMetadata(
                name: tensor.name, elementType: tensor.elementType,
                shape: tensor.completeShape(maxBatchSize: configuration.maxBatchSize))
        }
        return ModelMetadata(
            name: name, versions: manager.versions(name),
            platform: configuration.platform.isEmpty ? configuration.backend : configuration.platform,
            inputs: configuration.inputs.map(tensor), outputs: configuration.outputs.map(tensor))
    }

    /// The effective configuration: as written, with what the model and the defaults add.
    public func modelConfiguration(_ name: String, version: Int64? = nil) throws(HalcyonError) -> ModelConfiguration {
        try manager.withModel(name, version: version) { $0.configuration }
    }

    /// Whether a model gives any number of responses; without taking a copy of its configuration, as every request asks.
    package func isDecoupled(_ name: String, version: Int64?) throws(HalcyonError) -> Bool {
        try manager.withModel(name, version: version) { $0.isDecoupled }
    }

    /// The labels of an output; empty where its configuration names no label file. An ensemble's outputs have those of the
    /// step that makes them, unless they have their own.
    public func labels(_ name: String, output: String, version: Int64? = nil) throws(HalcyonError) -> [String] {
        try manager.labels(of: output, model: name, version: version)
    }

    /// The statistics of one version, of all served versions of a model, or of all models.
    public func statistics(model name: String? = nil, version: Int64? = nil) throws(HalcyonError) -> ServerStatistics {
        guard let name else {
            return ServerStatistics(models: manager.servedModels().map { $0.executor.statistics.snapshot() })
        }
        if let version {
            return ServerStatistics(
                models: [try manager.withModel(name, version: version) { $0.executor.statistics.snapshot() }])
        }
        let models = manager.servedModels().filter { $0.name == name }
        guard !models.isEmpty else {
            // The reference's code for this, by which clients know it.
            throw HalcyonError(.invalidArgument, "requested model '\(name)' is not available")
        }
        return ServerStatistics(models: models.map { $0.executor.statistics.snapshot() })
    }

    /// What every served version of every model is doing at the moment, by name and version.
    public func gauges() -> [ModelGauges] { manager.servedModels().map(\.gauges) }

    /// How full the response cache is; `nil` where there is none.
    public var cacheUsage: CacheUsage? { cache?.usage }

    /// Looks at the repositories at once, where they are polled.
    package func pollRepositories() { poller?.poll() }

    // MARK: Stopping

    /// Takes nothing new, finishes what waits within ``ServerOptions/exitTimeout``, and ends all threads.
    ///
    /// - Returns: what had to be dropped. Later calls return an empty report.
    @discardableResult
    public func shutdown() async -> ShutdownReport {
        let isFirst = phase.withLock { phase in
            defer { if phase != .stopped { phase = .stopping } }
            return phase == .starting || phase == .running
        }
        phaseChanged.notify()
        guard isFirst else { return ShutdownReport(droppedRequests: [:]) }
        let timeout = UInt64(clamping: max(0, options.exitTimeout.nanoseconds))
        let (deadline, overflow) = clock.now().addingReportingOverflow(timeout)
        let dropped = await onThread(name: "shutdown") {
            self.manager.close()
            self.pauses.loading.end()
            self.poller?.stop()
            let dropped = self.manager.stop(deadline: overflow ? nil : deadline)
            // A model that is still being loaded can't be interrupted, and is not waited for beyond the deadline.
            let isStarted = self.phaseChanged.wait(until: overflow ? nil : deadline, clock: self.clock) {
                self.isStartupOver.load(ordering: .acquiring)
            }
            if let startup = self.startup.withLock({ $0.take() }) {
                if isStarted { startup.join() } else { startup.detach() }
            }
            self.pauses.executing.end()
            self.timer.stop()
            return dropped
        }
        for (name, count) in dropped.sorted(by: { $0.key < $1.key }) {
            options.log.warning("dropped at shutdown", metadata: ["model": "\(name)", "requests": "\(count)"])
        }
        phase.withLock { $0 = .stopped }
        return ShutdownReport(droppedRequests: dropped)
    }

    /// Runs what blocks on a thread of its own, off Swift's cooperative pool.
    private func onThread<Value: Sendable>(name: String, _ body: @escaping @Sendable () -> Value) async -> Value {
        let work = Locked<(@Sendable () -> Value)?>(body)
        return await withUnsafeContinuation { continuation in
            let run: @Sendable () -> Void = {
                // The caller may end the process as soon as it goes on: what the work refers to, an engine in the end,
                // must not be let go of on this thread after that.
                guard let value = work.withLock({ $0.take() })?() else { return }
                continuation.resume(returning: value)
            }
            do {
                try WorkerThread.detach(name: name, run)
            } catch {
                // Without another thread to be had, blocking this one is what is left.
                run()
            }
        }
    }
}

extension Duration {
    /// Whole nanoseconds, clamped to 64 bits.
    fileprivate var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        return scaled.addingReportingOverflow(attoseconds / 1_000_000_000).overflow
            ? .max : scaled + attoseconds / 1_000_000_000
    }
}
