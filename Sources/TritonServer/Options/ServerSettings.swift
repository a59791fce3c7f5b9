internal import Halcyon
internal import MetricsExposition
internal import ModelRuntime
internal import Tensors

/// What a server of a C program's is started with. A value; each setting is checked when it is made.
struct ServerSettings: Sendable {
    struct Metrics: Sendable {
        var isOn = true
        var showsMachine = true
        var showsGPUs = true
        var intervalMilliseconds: UInt64 = 2000
        /// Each `<setting>=<value>`.
        var configuration: [String] = []
    }

    var engine = ServerOptions()
    var id = "halcyon"
    /// Whether a model that fails to load at start ends the server.
    var exitsOnError = true
    var metrics = Metrics()
    /// Where the folders of engines and backends are; `nil` to look for them.
    var backendDirectory: String?
    /// Whether a model may run, and the program be called, on the thread that hands a request in.
    var callsOnCallersThread = false
    /// Memory of one GPU that another reaches is not used, so there is nothing to refuse.
    var allowsPeerAccess = true
    private var hasCacheSize = false

    mutating func addRepository(_ path: String) throws(HalcyonError) {
        guard !path.isEmpty else { throw HalcyonError(.invalidArgument, "a model repository's path is empty") }
        if !engine.repositoryPaths.contains(path) { engine.repositoryPaths.append(path) }
    }

    mutating func set(controlMode: UInt32) throws(HalcyonError) {
        switch controlMode {
        case 0: engine.modelControlMode = .none
        case 1: engine.modelControlMode = .poll
        case 2: engine.modelControlMode = .explicit
        default:
            throw HalcyonError(
                .invalidArgument,
                "there is no model control mode \(controlMode), expected 0 (none), 1 (poll) or 2 (explicit)")
        }
    }

    mutating func addStartupModel(_ name: String) throws(HalcyonError) {
        guard !name.isEmpty else { throw HalcyonError(.invalidArgument, "a model to load at start has no name") }
        if !engine.startupModels.contains(name) { engine.startupModels.append(name) }
    }

    mutating func set(loadThreads count: UInt32) throws(HalcyonError) {
        guard (1...1024).contains(count) else {
            throw HalcyonError(
                .invalidArgument, "the number of threads that load models is \(count), expected 1 to 1024")
        }
        engine.modelLoadCount = Int(count)
    }

    mutating func set(loadRetries count: UInt32) throws(HalcyonError) {
        guard count == 0 else {
            throw HalcyonError(
                .unsupported,
                "a model that fails to load is not tried again by itself, got \(count) retries: load it again with "
                    + "TRITONSERVER_ServerLoadModel")
        }
    }

    // MARK: Resources

    mutating func set(rateLimiterMode mode: UInt32) throws(HalcyonError) {
        guard mode <= 1 else {
            throw HalcyonError(
                .invalidArgument, "there is no rate limiter mode \(mode), expected 0 (off) or 1 (execution count)")
        }
        engine.limitsRates = mode == 1
    }

    mutating func addResource(_ name: String, count: Int, device: Int32) throws(HalcyonError) {
        guard !name.isEmpty, count >= 0, device >= -1 else {
            throw HalcyonError(
                .invalidArgument,
                "resource '\(name)', \(UInt(bitPattern: count)) of it on device \(device): expected a name, a number, "
                    + "and a device from 0, or -1 for each")
        }
        engine.resources.append(RateLimitResource(name: name, count: count, gpu: device == -1 ? nil : Int(device)))
    }

    mutating func set(pinnedPool size: UInt64) throws(HalcyonError) {
        engine.pinnedMemoryPoolByteSize = try Self.size(size, "pinned memory pool")
    }

    mutating func set(pool size: UInt64, ofGPU gpu: Int32) throws(HalcyonError) {
        guard gpu >= 0 else { throw HalcyonError(.invalidArgument, "there is no GPU \(gpu), expected one from 0") }
        engine.gpuMemoryPoolByteSizes[Int(gpu)] = try Self.size(size, "memory pool of GPU \(gpu)")
    }

    mutating func set(virtualAddresses size: Int, ofGPU gpu: Int32) throws(HalcyonError) {
        throw HalcyonError(
            .unsupported,
            "state of sequences does not grow in place, so there are no virtual addresses to set aside on GPU \(gpu) "
                + "(\(UInt(bitPattern: size)) bytes): leave TRITONSERVER_ServerOptionsSetCudaVirtualAddressSize out")
    }

    mutating func set(computeCapability: Double) throws(HalcyonError) {
        guard computeCapability.isFinite, computeCapability >= 0 else {
            throw HalcyonError(
                .invalidArgument, "the minimum compute capability is \(computeCapability), expected a number from 0")
        }
        engine.minimumComputeCapability = computeCapability
    }

    mutating func set(bufferManagerThreads count: UInt32) throws(HalcyonError) {
        guard count == 0 else {
            throw HalcyonError(
                .unsupported,
                "inputs are gathered by the instances' own threads, got \(count) threads of a buffer manager: set 0")
        }
    }

    mutating func set(deviceLimit fraction: Double, kind: UInt32, device: Int32) throws(HalcyonError) {
        throw HalcyonError(
            .unsupported,
            "loads are not refused by how full a device is (a limit of \(fraction) for device \(device)): leave "
                + "TRITONSERVER_ServerOptionsSetModelLoadDeviceLimit out")
    }

    mutating func set(cacheByteSize size: UInt64) throws(HalcyonError) {
        guard engine.responseCache == nil else { throw Self.twoCaches }
        hasCacheSize = true
        engine.responseCacheByteSize = try Self.size(size, "response cache")
    }

    /// - Parameter json: what the cache is told.
    mutating func set(cache name: String, json: String) throws(HalcyonError) {
        guard !hasCacheSize else { throw Self.twoCaches }
        guard !name.isEmpty else { throw HalcyonError(.invalidArgument, "a response cache has no name") }
        if let other = engine.responseCache, other.name != name {
            throw HalcyonError(
                .invalidArgument, "there is one response cache, and '\(other.name)' and '\(name)' were named")
        }
        engine.responseCache = ResponseCacheOptions(name: name, configuration: json)
    }

    mutating func set(cacheDirectory path: String) throws(HalcyonError) {
        guard !path.isEmpty else { throw HalcyonError(.invalidArgument, "the cache directory's path is empty") }
        engine.cacheDirectory = path
    }

    private static let twoCaches = HalcyonError(
        .invalidArgument,
        "the response cache has both a size and a configuration: set one of them")

    mutating func set(hostPolicy name: String, _ setting: String, _ value: String) throws(HalcyonError) {
        guard !name.isEmpty else { throw HalcyonError(.invalidArgument, "a host policy has no name") }
        var policy = engine.hostPolicies[name] ?? HostPolicy()
        do throws(HalcyonError) {
            try policy.set(setting, value)
        } catch {
            throw error.prefixed("host policy '\(name)': ")
        }
        engine.hostPolicies[name] = policy
    }

    private static func size(_ size: UInt64, _ what: String) throws(HalcyonError) -> Int {
        guard let size = Int(exactly: size) else {
            throw HalcyonError(.invalidArgument, "the \(what) has \(size) bytes, expected at most \(Int.max)")
        }
        return size
    }
}
