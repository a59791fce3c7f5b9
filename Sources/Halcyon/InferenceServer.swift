package import CUDADriver
internal import Logging
internal import ModelConfigurations
public import ModelRepository
internal import ModelRuntime
public import Tensors
package import Threads

/// An inference server inside this process.
///
/// ```swift
/// let server = try InferenceServer(ServerOptions(repositoryPaths: ["models"]))
/// try await server.waitUntilReady()
/// let input = try Tensor(name: "INPUT", shape: [1, 4], [1, 2, 3, 4] as [Float])
/// let response = try await server.infer(InferenceRequest(modelName: "simple", inputs: [input]))
/// await server.shutdown()
/// ```
///
/// All methods may be called from any thread or task. A server that is released without ``shutdown()`` or
/// ``run(until:)`` stops by itself in the background, and finishes the requests that it has.
public final class InferenceServer: Sendable {
    let lifetime: ServerLifetime
    /// The machine's, looked for when somebody needs one.
    package let gpus: GPUs
    private let cache: (any AnswerCache)?
    /// Whether clients, programs in C and backends may load and unload models.
    let isControlExplicit: Bool
    /// What backends, and programs in C, reach of it.
    package let models: ServerModels

    var manager: ModelManager { lifetime.manager }

    /// Starts a server. Models that are to be loaded at start are loaded in the background: see ``waitUntilReady()``.
    ///
    /// - Throws: `invalidArgument` or `notFound` for a repository or a model file that can't be read, and for options
    ///   that can't be kept to.
    public convenience init(_ options: ServerOptions) throws(HalcyonError) {
        try self.init(options, clock: SystemClock())
    }

    /// Starts a server for one model without a repository: it is served under the file's name without the ending, and
    /// the file stays where it is.
    ///
    /// - Parameters:
    ///   - model: the path of the model's file, or of its folder where the format is one.
    ///   - options: everything else; none by default.
    /// - Throws: as ``init(_:)``.
    public convenience init(model: String, options: ServerOptions = ServerOptions()) throws(HalcyonError) {
        var options = options
        options.modelFiles.append(model)
        try self.init(options)
    }

    package init(_ options: ServerOptions, clock: any SchedulingClock) throws(HalcyonError) {
        let timer = DeadlineTimer(clock: clock)
        let budget = options.cpuBudget ?? .detected()
        options.log.info("cpu budget", metadata: ["cores": "\(budget.cores)", "source": "\(budget.source)"])
        gpus = Self.gpus(options)
        let pauses = (loading: Pauses(clock: clock), executing: Pauses(clock: clock))
        let places = Self.allEnginePlaces(options)
        var environment = ExecutionEnvironment(clock: clock, timer: timer, log: options.log)
        let cache = try options.answerCache()
        environment.cache = cache
        if options.limitsRates {
            environment.resources = ResourceGate(
                stock: options.resources.map { .init(name: $0.name, count: $0.count, gpu: $0.gpu) })
        }
        environment.executionTimeout = options.executionTimeout.wholeNanoseconds
        environment.summaryQuantiles = options.summaryQuantiles
        environment.recordedBatches = options.recordedBatches
        let models = ServerModels()
        self.models = models
        var loader = try Self.loader(
            options,
            backends: try Self.backends(
                options, places, gpus: gpus, cores: budget.cores, pauses: pauses, models: models),
            gpus: gpus, budget: budget, environment: environment)
        loader.isolation = Self.isolation(
            options, directories: places.mapValues(\.directories), cores: budget.cores)
        for (name, policy) in options.hostPolicies.sorted(by: { $0.key < $1.key }) {
            do {
                // Tried once, so that what can't be kept to is found now.
                try policy.bound {}
            } catch {
                throw error.prefixed("host policy '\(name)': ")
            }
        }
        loader.hostPolicies = options.hostPolicies
        self.cache = cache
        isControlExplicit = options.modelControlMode == .explicit
        let manager = ModelManager(
            loader: loader, loadCount: options.modelLoadCount, loadTimeout: options.modelLoadTimeout.wholeNanoseconds)
        lifetime = ServerLifetime(options, manager: manager, timer: timer, clock: clock, pauses: pauses)
        models.serve(self)
        // What is thrown from here on releases a server that is complete, and so stops it.
        try lifetime.start()
    }

    deinit { lifetime.abandon() }

    /// Waits until the models that are loaded at start are, or have failed.
    ///
    /// - Throws: `unavailable` that names each model that failed and why; the others serve all the same. What a
    ///   ``RepositorySource`` says that fails: then no model is loaded.
    public func waitUntilReady() async throws(HalcyonError) {
        await WorkerThread.run(name: "ready") { [lifetime] in lifetime.waitForStart() }
        if let failure = startFailure { throw failure }
    }

    /// Which models do not serve that were to, and why; `nil` where all do.
    var startFailure: HalcyonError? {
        if let reason = lifetime.reasonOfStart { return reason }
        let failures = manager.failures()
        guard !failures.isEmpty else { return nil }
        let reasons = failures.map { "\($0.name): \($0.reason)" }.joined(separator: "\n")
        return HalcyonError(.unavailable, "these models failed to load:\n\(reasons)")
    }

    // MARK: State

    /// Whether the server answers at all.
    public var isLive: Bool { lifetime.isLive }

    /// Whether the server takes requests: start is over, the repositories were there, and, where readiness is strict,
    /// every model serves that the server knows and that nobody has unloaded. What can't be read as a model is not
    /// known to it.
    public var isReady: Bool { lifetime.isReady }

    /// Whether a load that was given up still runs, in the middle of an engine for the most part: a process that ends
    /// now should end at once.
    package var hasHangingLoads: Bool { manager.hasHangingLoads }

    /// Who the server says it is.
    public var metadata: ServerMetadata {
        ServerMetadata(
            name: "halcyon", version: Self.version,
            extensions: ["model_repository", "schedule_policy", "model_configuration", "statistics"])
    }

    /// The version of this library.
    public static let version = "0.1.0"

    // MARK: Models

    /// Finds a version of a model, once for all that a request needs of it.
    ///
    /// - Parameter version: `nil` for the newest.
    /// - Throws: `notFound` or `unavailable` for a model that is not served; `invalidArgument` for a name that several
    ///   models have.
    package func resolve(_ name: String, version: Int64? = nil) throws(HalcyonError) -> ModelHandle {
        ModelHandle(try manager.hold(name, version: version), of: self)
    }

    /// Loads a model, or loads it again: the new version serves before the old one goes, and if it fails, the old one
    /// stays. This returns when the new one serves; the old one finishes its requests by itself. Cancelling the task
    /// gives the load up, and so does unloading the model.
    ///
    /// - Parameter override: what takes the place of the model's configuration and files in the repository; `nil` to
    ///   load what lies there.
    /// - Throws: `HalcyonError` with every complaint about the model's configuration, or what the engine says.
    public func loadModel(_ name: String, override: ModelOverride? = nil) async throws(HalcyonError) {
        let attempt = LoadAttempt()
        let outcome = await withTaskCancellationHandler {
            await WorkerThread.run(name: "load") { [manager] in
                Result { () throws(HalcyonError) in
                    try manager.load(name, override: override, attempt: attempt)
                }
            }
        } onCancel: {
            attempt.giveUp(
                HalcyonError(.cancelled, "the load was given up, as whoever wanted it has gone away meanwhile"))
        }
        _ = try outcome.get()
    }

    /// Unloads a model: it takes no new requests, and this returns when those it has are finished. One that is not
    /// loaded is unloaded already; loads of it that are under way are given up.
    ///
    /// - Parameter dependents: whether the models of an ensemble's steps are unloaded behind it, where no other
    ///   ensemble uses them.
    public func unloadModel(_ name: String, dependents: Bool = false) async throws(HalcyonError) {
        let outcome = await WorkerThread.run(name: "unload") { [manager] in
            Result { () throws(HalcyonError) in
                if dependents { try manager.unloadWithDependents(name) } else { try manager.unload(name) }
            }
        }
        try outcome.get()
    }

    /// Whether a version of a model serves; any version where `version` is `nil`.
    public func isModelReady(_ name: String, version: Int64? = nil) -> Bool {
        manager.isReady(name, version: version)
    }

    /// The version that a request for the model would get.
    ///
    /// - Throws: `notFound` or `unavailable` for a model that is not served.
    public func modelVersion(_ name: String, version: Int64? = nil) throws(HalcyonError) -> Int64 {
        try resolve(name, version: version).version
    }

    /// Every model of the repositories with its state, by name.
    public func modelIndex() -> [ModelIndexEntry] { manager.index() }

    /// - Throws: `notFound` or `unavailable` for a model that is not served, as do the methods below.
    public func modelMetadata(_ name: String, version: Int64? = nil) throws(HalcyonError) -> ModelMetadata {
        let (configuration, versions) = try manager.description(of: name, version: version)
        let tensor = { (tensor: TensorConfiguration) in
            ModelMetadata.TensorMetadata(
                name: tensor.name, elementType: tensor.elementType,
                shape: tensor.completeShape(maxBatchSize: configuration.maxBatchSize))
        }
        return ModelMetadata(
            name: name, versions: versions,
            platform: configuration.platform.isEmpty ? configuration.backend : configuration.platform,
            inputs: configuration.inputs.map(tensor), outputs: configuration.outputs.map(tensor))
    }

    /// The effective configuration: as written, with what the model and the defaults add.
    public func modelConfiguration(_ name: String, version: Int64? = nil) throws(HalcyonError) -> ModelConfiguration {
        try resolve(name, version: version).configuration
    }

    /// The labels of an output; empty where its configuration names no label file. An ensemble's outputs have those of
    /// the step that makes them, unless they have their own.
    public func labels(_ name: String, output: String, version: Int64? = nil) throws(HalcyonError) -> [String] {
        try resolve(name, version: version).labels(of: output)
    }

    /// The statistics of one version, of all served versions of a model, or of all models.
    public func statistics(model name: String? = nil, version: Int64? = nil) throws(HalcyonError) -> ServerStatistics {
        guard let name else {
            return ServerStatistics(models: manager.servedModels().map { $0.executor.statistics.snapshot() })
        }
        if let version {
            return ServerStatistics(
                models: [try manager.hold(name, version: version).model.executor.statistics.snapshot()])
        }
        let models = manager.servedModels().filter { $0.name == name }
        guard !models.isEmpty else {
            // Triton's code for this, by which clients know it.
            throw HalcyonError(.invalidArgument, "requested model '\(name)' is not available")
        }
        return ServerStatistics(models: models.map { $0.executor.statistics.snapshot() })
    }

    /// What every served version of every model is doing at the moment, by name and version.
    public func gauges() -> [ModelGauges] { manager.servedModels().map(\.gauges) }

    /// How full the response cache is; `nil` where there is none.
    public var cacheUsage: CacheUsage? { cache?.currentUsage }

    /// Looks at the repositories at once, where they are polled.
    package func pollRepositories() { lifetime.poller?.poll() }

    // MARK: Stopping

    /// Serves until `isOver` returns, the task is cancelled or somebody calls ``shutdown()``, and then shuts down, so
    /// that nothing is left running. Requests are answered before this is called as well: it only gives the server an
    /// end.
    ///
    /// ```swift
    /// await withTaskGroup(of: Void.self) { group in
    ///     group.addTask { await server.run() }
    ///     // … requests …
    ///     group.cancelAll()
    /// }
    /// ```
    ///
    /// - Parameter isOver: returns when the server is to stop, and soon when its task is cancelled; `nil` for never.
    /// - Returns: what had to be dropped.
    @discardableResult
    public func run(until isOver: (@Sendable () async -> Void)? = nil) async -> ShutdownReport {
        await withTaskGroup(of: Void.self) { group in
            if let isOver { group.addTask(operation: isOver) }
            group.addTask { [lifetime] in await lifetime.stopping.wait() }
            await group.next()
            group.cancelAll()
        }
        return await shutdown()
    }

    /// Takes nothing new, finishes what waits within ``ServerOptions/exitTimeout``, and ends all threads. Cancelling
    /// the task does not cut it short.
    ///
    /// - Returns: what had to be dropped. Later calls return an empty report once the server has stopped.
    @discardableResult
    public func shutdown() async -> ShutdownReport {
        guard lifetime.beginStop() else {
            await lifetime.stopped.wait()
            return ShutdownReport(droppedRequests: [:])
        }
        return await WorkerThread.run(name: "shutdown") { [lifetime] in lifetime.stop() }
    }
}
