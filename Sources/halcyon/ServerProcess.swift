internal import EngineSearch
internal import GRPCFrontend
internal import Glibc
internal import HTTPFrontend
internal import Halcyon
internal import KServeProtocol
internal import Logging
internal import MetricsExposition
internal import ModelRuntime
internal import NIOCore
internal import NIOPosix
internal import SpanExport
internal import Tensors
internal import Threads
internal import Tracing
internal import Transport
internal import UnixSignals
internal import VisionBackends

/// The running server: puts the engine and the front ends together, and takes them apart again when a signal says so.
struct ServerProcess {
    private let flags: ServeCommand
    private let settings: LogSettings
    private let log: Logger
    private let connections = ConnectionCounters()

    init(_ flags: ServeCommand) throws {
        self.flags = flags
        settings = flags.logging.settings
        let factory = try ServerLog.factory(settings)
        log = Logger(label: "halcyon", factory: factory)
    }

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let events = await Events.start()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threadCount)
        let budget = inflightBudget()
        let tracing = try TraceOutput(flags.tracing, on: group, budget: budget, log: log)
        let repositories = try StoreRepositories(
            flags.models.repositories,
            .init(directory: flags.models.modelCacheDirectory, byteLimit: flags.models.modelCacheByteSize), on: group,
            log: log)
        let server = try InferenceServer(try options(repositories))
        let service = InferenceService(
            server: server, logSettings: settings, tracer: tracing.tracer, options: serviceOptions(budget))
        var listeners: [Listener] = []
        do {
            if flags.http.allowHttp.isOn { listeners.append(try await listenHTTP(service, group, budget)) }
            if flags.grpc.allowGrpc.isOn { listeners.append(try await listenGRPC(service, group, budget)) }
            if flags.metrics.allowMetrics.isOn {
                listeners.append(try await listenForMetrics(server, group, budget))
            }
        } catch {
            await stop(listeners, server, service)
            throw error
        }
        Task { events.send(.started(await startModels(server))) }
        loop: for await event in events.all {
            switch event {
            case .started(.some(let failure)) where flags.models.exitOnError.isOn:
                await stop(listeners, server, service)
                throw failure
            case .started: continue
            case .signal(let name):
                log.info(
                    "stopping: Waiting for in-flight requests to complete.", metadata: ["signal": "\(name)"])
                break loop
            }
        }
        await stop(listeners, server, service)
        await repositories.shutdown()
        await tracing.sendSpans()
        try? await group.shutdownGracefully()
        tracing.close()
        log.info("stopped")
        // What hangs in an engine would go on while the process takes itself apart.
        if server.hasHangingLoads { _exit(0) }
    }

    private func stop(_ listeners: [Listener], _ server: InferenceServer, _ service: InferenceService) async {
        let timeout = Duration.seconds(max(1, flags.models.exitTimeoutSecs))
        let start = ContinuousClock.now
        service.beginStopping()
        for listener in listeners { await listener.stopAccepting() }
        for listener in listeners { listener.drainConnections() }
        // Clients that do not know yet may still ask for something, and get it.
        await waitForConnections(listeners, until: start + min(timeout / 4, Self.farewell))
        await server.shutdown()
        // The last answers may still be on their way.
        await waitForConnections(listeners, until: start + timeout)
        for listener in listeners { listener.closeConnections() }
    }

    /// How long clients may take to notice that the server is about to go.
    private static let farewell = Duration.seconds(3)

    private func waitForConnections(_ listeners: [Listener], until deadline: ContinuousClock.Instant) async {
        await withTaskGroup { group in
            group.addTask { for listener in listeners { await listener.waitForConnections() } }
            group.addTask { try? await Task.sleep(until: deadline) }
            await group.next()
            group.cancelAll()
        }
    }

    /// What the process waits for.
    private struct Events {
        enum Event: Sendable {
            /// All models that were to be loaded at start are, or have failed.
            case started((any Error)?)
            case signal(String)
        }

        let all: AsyncStream<Event>
        private let continuation: AsyncStream<Event>.Continuation

        /// Listens to signals from now on. Whoever sends a second one does not want to wait.
        static func start() async -> Events {
            let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
            let (all, continuation) = AsyncStream.makeStream(of: Event.self)
            Task {
                var isFirst = true
                for await signal in signals {
                    if !isFirst { _exit(1) }
                    isFirst = false
                    continuation.yield(.signal("\(signal)"))
                }
            }
            return Events(all: all, continuation: continuation)
        }

        func send(_ event: Event) { continuation.yield(event) }
    }

    private var threadCount: Int {
        flags.http.httpThreadCount > 0 ? flags.http.httpThreadCount : max(1, min(4, System.coreCount))
    }

    // MARK: Parts

    /// What clients' bytes count against, and what gives the system back what they took.
    private func inflightBudget() -> ByteBudget {
        HeapTrimmer.limitHeaps(max(2, min(4, System.coreCount)))
        let trimmer = HeapTrimmer()
        let given = flags.limits.maxInflightBytes
        let maximum = given > 0 ? given : MemoryLimit.inflightBytes(of: MemoryLimit.detected())
        log.info("memory for requests and answers", metadata: ["max-inflight-bytes": "\(maximum)"])
        return ByteBudget(maximum: maximum) { trimmer.noteFreed($0) }
    }

    private func options(_ repositories: StoreRepositories) throws(HalcyonError) -> ServerOptions {
        guard !flags.models.repositories.isEmpty else {
            throw HalcyonError(.invalidArgument, "at least one --model-repository is needed")
        }
        var options = ServerOptions(repositoryPaths: repositories.folders)
        options.repositorySources = repositories.stores
        options.modelControlMode =
            switch flags.models.modelControlMode {
            case .none: .none
            case .explicit: .explicit
            case .poll: .poll
            }
        options.allowsSameModelNames = flags.models.modelNamespacing.isOn
        options.followsLinks = flags.models.followLinks
        options.modelConfigurationName = flags.models.modelConfigName
        options.loneModelName = flags.models.modelName
        options.requiresRepositories = flags.models.exitOnError.isOn
        options.modelLoadTimeout = .seconds(flags.models.modelLoadTimeoutSecs)
        options.repositoryPollInterval = .seconds(flags.models.repositoryPollSecs)
        options.startupModels = flags.models.startupModels
        options.engineSearch = .ofThisProcess(named: flags.models.backendDirectory)
        options.allowsModelBackends = flags.models.allowModelBackends
        options.completesConfigurations =
            !flags.models.disableAutoCompleteConfig && !flags.models.strictModelConfig.isOn
        options.isReadinessStrict = flags.models.strictReadiness.isOn
        options.warmsUpModels = flags.models.automaticWarmup.isOn
        options.exitTimeout = .seconds(max(0, flags.models.exitTimeoutSecs))
        options.log = log
        options.backends = VisionBackends.all
        options.modelLoadCount = flags.models.modelLoadThreadCount
        if flags.metrics.allowMetrics.isOn {
            let metrics = try MetricsConfiguration(settings: flags.metrics.metricsConfig)
            if metrics.summaryLatencies { options.summaryQuantiles = metrics.summaryQuantiles }
        }
        options.recordedBatches = flags.models.recordedBatches
        options.limitsRates = flags.models.rateLimit == .executionCount
        options.resources = try flags.models.resources()
        options.hostPolicies = try flags.models.hostPolicies()
        options.isolation =
            switch flags.models.isolation {
            case .none: .none
            case .perModel: .perModel
            case .process: .process
            }
        options.sandboxesWorkers = flags.models.sandbox
        options.executionTimeout = .seconds(flags.models.executionTimeoutSecs)
        options.responseCacheByteSize = flags.models.responseCacheByteSize ?? 0
        options.responseCache = try CacheSettings.cache(flags.models.cacheSettings)
        options.cacheDirectory = flags.models.cacheDirectory
        options.repositoryAgentDirectory = flags.models.repoagentDirectory
        options.pinnedMemoryPoolByteSize = flags.models.pinnedMemoryPoolByteSize
        options.gpuMemoryPoolByteSizes = try flags.models.gpuMemoryPools()
        options.minimumComputeCapability = flags.models.minSupportedComputeCapability
        try BackendSettings.apply(flags.models.backendSettings, to: &options)
        return options
    }

    private func serviceOptions(_ budget: ByteBudget) -> InferenceService.Options {
        var options = InferenceService.Options()
        options.name = flags.models.id
        options.log = log
        options.allowsSharedMemory = flags.limits.allowClientShm.isOn
        options.limits.jsonDepth = flags.limits.maxJsonDepth
        options.limits.inputs = flags.limits.maxRequestInputs
        options.limits.outputs = flags.limits.maxRequestOutputs
        options.limits.classes = flags.limits.maxRequestClasses
        options.budget = budget
        options.pool = WorkPool(longCount: max(1, min(4, System.coreCount - 1)))
        return options
    }

    /// - Parameter flags: how the flags begin that say it.
    private func address(_ host: String, _ port: Int, flags: String) throws(HalcyonError) -> ListenAddress {
        do throws(HalcyonError) {
            return try ListenAddress(host: host, port: port)
        } catch {
            throw error.prefixed("--\(flags)-address and --\(flags)-port: ")
        }
    }

    private func listenHTTP(
        _ service: InferenceService, _ group: any EventLoopGroup, _ budget: ByteBudget
    ) async throws -> Listener {
        let http = flags.http
        var access = AccessPolicy()
        for setting in http.httpRestrictedApi { try access.restrict(setting) }
        let listenAddress = try address(http.httpAddress, http.httpPort, flags: "http")
        let showsPage = http.showsPage(at: listenAddress)
        var options = Listener.Options(address: listenAddress, log: log)
        options.flags = "http"
        options.maximumConnections = flags.limits.maxConnections
        options.counters = connections
        options.reusesPort = http.reuseHttpPort.isOn
        options.tls = try TLSFlags(
            isOn: http.httpUseSsl.isOn, isMutual: http.httpUseSslMutual.isOn, certificate: http.httpServerCert,
            key: http.httpServerKey, root: http.httpRootCert, prefix: "http"
        ).options()
        var connection = HTTPConnectionOptions()
        connection.maximumBodySize = http.httpMaxInputSize
        connection.idleTimeout = http.httpIdleTimeoutSecs
        connection.bodyTimeout = http.httpBodyTimeoutSecs
        connection.writeTimeout = http.httpWriteTimeoutSecs
        let listener = try await HTTPListener.bind(
            options, on: group, connection: connection, budget: budget,
            responder: HTTPService(
                service: service, access: access, headers: try forwarding(http.httpHeaderForwardPattern),
                showsPage: showsPage))
        log.info("Started HTTPService at \(listener.address)", metadata: ["protocol": "HTTP"])
        if showsPage, case .internet = listenAddress {
            log.info("page", metadata: ["address": "\(options.tls == nil ? "http" : "https")://\(listener.address)/"])
        }
        return listener
    }

    private func listenGRPC(
        _ service: InferenceService, _ group: any EventLoopGroup, _ budget: ByteBudget
    ) async throws -> Listener {
        let grpc = flags.grpc
        for notice in grpc.notices {
            log.notice("flag without effect", metadata: ["flag": "\(notice.flag)", "reason": "\(notice.reason)"])
        }
        var access = AccessPolicy()
        for setting in grpc.grpcRestrictedProtocol {
            try access.restrict(setting, headerPrefix: "triton-grpc-protocol-")
        }
        var options = Listener.Options(
            address: try address(grpc.grpcAddress, grpc.grpcPort, flags: "grpc"), log: log)
        options.flags = "grpc"
        options.maximumConnections = flags.limits.maxConnections
        options.counters = connections
        options.reusesPort = grpc.reuseGrpcPort.isOn
        options.tls = try TLSFlags(
            isOn: grpc.grpcUseSsl.isOn, isMutual: grpc.grpcUseSslMutual.isOn, certificate: grpc.grpcServerCert,
            key: grpc.grpcServerKey, root: grpc.grpcRootCert, prefix: "grpc"
        ).options()
        let listener = try await GRPCListener.bind(
            options, on: group, grpc: grpc.options, budget: budget,
            service: GRPCService(
                service: service, access: access, headers: try forwarding(grpc.grpcHeaderForwardPattern)))
        log.info("Started GRPCInferenceService at \(listener.address)", metadata: ["protocol": "gRPC"])
        return listener
    }

    private func forwarding(_ pattern: String) throws -> HeaderForwarding? {
        pattern.isEmpty ? nil : try HeaderForwarding(pattern: pattern)
    }

    private func listenForMetrics(
        _ server: InferenceServer, _ group: any EventLoopGroup, _ budget: ByteBudget
    ) async throws -> Listener {
        let metrics = flags.metrics
        let endpoint = MetricsEndpoint(
            server: server, configuration: try MetricsConfiguration(settings: metrics.metricsConfig),
            connections: connections)
        let interval = TimeAmount.milliseconds(Int64(min(max(100, metrics.metricsIntervalMs), 1e9)))
        if metrics.allowCpuMetrics.isOn { endpoint.measureMachine(every: interval, on: group.next()) }
        if metrics.allowGpuMetrics.isOn, let absence = endpoint.measureGPUs(every: interval, on: group.next()) {
            log.debug("no metrics of GPUs", metadata: ["reason": "\(absence.message)"])
        }
        // A Unix domain socket is one port's alone.
        let sharedAddress = flags.http.httpAddress.hasPrefix("unix:") ? "127.0.0.1" : flags.http.httpAddress
        var options = Listener.Options(
            address: try address(metrics.metricsAddress ?? sharedAddress, metrics.metricsPort, flags: "metrics"),
            log: log)
        options.flags = "metrics"
        options.maximumConnections = flags.limits.maxConnections
        options.counters = connections
        let listener = try await HTTPListener.bind(
            options, on: group, connection: HTTPConnectionOptions(), budget: budget, responder: endpoint)
        log.info("Started Metrics Service at \(listener.address)", metadata: ["protocol": "metrics"])
        return listener
    }

    /// - Returns: which models failed, and why.
    private func startModels(_ server: InferenceServer) async -> (any Error)? {
        defer { StandardError.write(ModelOverview.text(server.modelIndex())) }
        do {
            try await server.waitUntilReady()
            return nil
        } catch {
            return error
        }
    }
}
