internal import ArgumentParser
internal import Halcyon
internal import Tensors

/// What is served, and how it comes to be loaded.
struct ModelFlags: ParsableArguments {
    enum ControlMode: String, WordFlag {
        case none
        case explicit
        case poll
    }

    enum IsolationMode: String, WordFlag {
        case none
        case perModel = "per-model"
        case process
    }

    enum RateLimitMode: String, WordFlag {
        case off
        case executionCount = "execution_count"
    }

    @Option(
        name: [.customLong("model-repository"), .customLong("model-store")],
        help: ArgumentHelp(
            """
            A folder with models, or where they are in a store: s3://BUCKET/PREFIX, \
            s3://http://HOST:PORT/BUCKET/PREFIX, gs://BUCKET/PREFIX, as://ACCOUNT/CONTAINER/PREFIX, or \
            an archive with its checksum, https://HOST/models.tar.gz#sha256=DIGITS. May be given several times.
            """, valueName: "folder"))
    var repositories: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            The folder of copies of what comes from stores; by default halcyon/models in CACHE_DIRECTORY, \
            XDG_CACHE_HOME or ~/.cache.
            """, valueName: "folder"))
    var modelCacheDirectory: String?

    @Option(help: "Bytes that the copies of a repository in a store may take; 0 for as many as the disk has.")
    var modelCacheByteSize: Int64 = 0

    @Option(
        help: """
            none loads all models at start; explicit loads --load-model, and what clients ask for; poll loads all, and \
            whatever comes, changes and goes in the repositories.
            """)
    var modelControlMode = ControlMode.none

    @Option(
        help: """
            Whether several repositories may have models of the same name: ensembles then use those of their own \
            repository.
            """)
    var modelNamespacing = Switch(false)

    @Flag(help: ArgumentHelp(RepositoryHelp.followLinks))
    var followLinks = false

    @Option(help: ArgumentHelp(RepositoryHelp.modelConfigName, valueName: "name"))
    var modelConfigName = ""

    @Option(
        help: ArgumentHelp(
            """
            What the model is called where a repository is one model: its own folder, or a folder with its file and \
            nothing around it. By default it has the name of that folder.
            """, valueName: "name"))
    var modelName = ""

    @Option(
        help: "Seconds between two looks at the repositories; a changed model is loaded when it looks the same twice.")
    var repositoryPollSecs: Int64 = 15

    @Option(
        name: .customLong("load-model"),
        help: ArgumentHelp(
            "A model to load at start in explicit mode; may be given several times. * alone for all.",
            valueName: "name"))
    var startupModels: [String] = []

    @Option(
        help: """
            Whether models run on inputs of zeros before they are ready, so that the first requests find a warm \
            engine. Only models of which all inputs are floating-point numbers or bytes of fixed sizes and two \
            dimensions or more are tried, and one that fails is served all the same. A model's parameter \
            automatic_warmup comes first.
            """)
    var automaticWarmup = Switch(true)

    @Option(
        help: """
            Whether the server is ready only if all its models are: those that it could read and that nobody has \
            unloaded.
            """)
    var strictReadiness = Switch(true)

    @Option(
        help: """
            Whether a model that fails to load at start, or a repository that is not there, ends the server. With \
            false and without its repository the server is live and not ready.
            """)
    var exitOnError = Switch(true)

    @Flag(help: "Take configurations as they are written, without completing them from the models.")
    var disableAutoCompleteConfig = false

    @Option(
        help: ArgumentHelp(
            "The older way to say --disable-auto-complete-config: true for as written.", valueName: "bool"))
    var strictModelConfig = Switch(false)

    @Option(help: ArgumentHelp(RepositoryHelp.backendDirectory, valueName: "folder"))
    var backendDirectory: String?

    @Flag(help: ArgumentHelp(RepositoryHelp.allowModelBackends))
    var allowModelBackends = false

    @Option(
        name: .customLong("backend-config"),
        help: ArgumentHelp(
            """
            A setting of an engine for all its models, openvino,CACHE_DIR=/var/cache for instance, or of all engines, \
            default-max-batch-size=4.
            """,
            valueName: "engine,setting=value"))
    var backendSettings: [String] = []

    @Option(help: "Models that are loaded at the same time; one that takes longer than 30 s counts no longer.")
    var modelLoadThreadCount = 4

    @Option(
        help: """
            Seconds that a load may take before it is given up; 0 for as long as it takes. Unloading the model gives \
            it up too, and so does its client by going away.
            """)
    var modelLoadTimeoutSecs: Int64 = 3600

    @Option(
        name: .customLong("cache-config"),
        help: ArgumentHelp(
            """
            A setting of the response cache: local,size=BYTES for the server's own, or what a library with another \
            cache takes; several times for several settings.
            """, valueName: "cache,setting=value"))
    var cacheSettings: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            The folder with libraries of response caches: NAME/libtritoncache_NAME.so. One with the name local takes \
            the place of the server's own. Without it, /opt/tritonserver/caches has all but local.
            """, valueName: "folder"))
    var cacheDirectory: String?

    @Option(
        help: ArgumentHelp(
            """
            The folder with libraries of repository agents: NAME/libtritonrepoagent_NAME.so. Without it, \
            /opt/tritonserver/repoagents.
            """, valueName: "folder"))
    var repoagentDirectory: String?

    @Option(help: "The older way to say --cache-config=local,size: bytes for the response cache; 0 for none.")
    var responseCacheByteSize: Int?

    @Option(
        help: """
            Whether the rate limiters of instance groups are acted on: off, or execution_count for by priority and \
            number of executions.
            """)
    var rateLimit = RateLimitMode.off

    @Option(
        name: .customLong("rate-limit-resource"),
        help: ArgumentHelp(
            "How many of a resource there are for rate limiters; of a GPU, or of each device.",
            valueName: "name:count[:gpu]"))
    var rateLimitResources: [String] = []

    @Option(
        help: """
            Bytes of page-locked memory that are kept for copies to and from GPUs; 0 for none. Nothing is reserved \
            without a GPU.
            """)
    var pinnedMemoryPoolByteSize = 256 << 20

    @Option(
        name: .customLong("cuda-memory-pool-byte-size"),
        help: ArgumentHelp(
            """
            Bytes of a GPU's memory that are kept for inputs and outputs; 536870912 for a GPU that is not named, 0 for \
            none.
            """,
            valueName: "gpu:bytes"))
    var cudaMemoryPoolByteSizes: [String] = []

    @Option(help: "GPUs of a lower CUDA compute capability are not used.")
    var minSupportedComputeCapability = 6.0

    @Option(
        help: """
            Seconds that an execution may take before its requests get an error and its instance is replaced; 0 for as \
            long as it takes. A model's parameter execution_timeout_microseconds comes first.
            """)
    var executionTimeoutSecs: Int64 = 0

    @Option(
        help: """
            Which models run in processes of their own, so that one that crashes, hangs or leaks takes nobody with it: \
            none for no model, whatever it says; per-model for those whose configuration has the parameter isolation \
            with process, or with per-instance for a process for each instance; process for all but those whose \
            parameter is none. Models whose files a client brings through the load API are isolated in any case.
            """)
    var isolation = IsolationMode.perModel

    @Flag(
        help: """
            Leave isolated models no network, no programs, no new privileges, and of files only their own, their \
            engine's and the system's, to read (Landlock, seccomp). What the system lacks of that is said at start.
            """)
    var sandbox = false

    @Option(
        name: .customLong("host-policy"),
        help: ArgumentHelp(
            """
            Where the instances run whose group names the policy, or that are of the kind of that name (cpu, model): \
            cpu-cores=0-3 for processors, numa-node=0 for memory; several times for several settings.
            """, valueName: "policy,setting=value"))
    var hostPolicySettings: [String] = []

    @Option(
        help: """
            The last batches of each model that are kept for halcyon explain, the page and \
            /v2/models/NAME/batches; 0 for none. \
            Each takes about 300 bytes once the model has been used.
            """)
    var recordedBatches = 512

    @Option(help: "How long requests may take to finish when the server stops, in seconds.")
    var exitTimeoutSecs = 30

    @Option(help: ArgumentHelp("The name that the server answers with.", valueName: "name"))
    var id = "halcyon"

    func validate() throws {
        try FlagRange.check("model-load-thread-count", modelLoadThreadCount, 1...1024)
        try FlagRange.check("repository-poll-secs", repositoryPollSecs, 1...1_000_000_000)
        try FlagRange.check("execution-timeout-secs", executionTimeoutSecs, 0...1_000_000_000)
        try FlagRange.check("model-load-timeout-secs", modelLoadTimeoutSecs, 0...1_000_000_000)
        try FlagRange.check("model-cache-byte-size", modelCacheByteSize, 0...Int64.max)
        try FlagRange.check("recorded-batches", recordedBatches, 0...65536)
        try FlagRange.check("response-cache-byte-size", responseCacheByteSize ?? 0, 0...Int.max)
        guard responseCacheByteSize == nil || cacheSettings.isEmpty else {
            throw ValidationError(
                "Incompatible flags --response-cache-byte-size and --cache-config both provided. Please provide one "
                    + "or the other.")
        }
        try FlagRange.check("pinned-memory-pool-byte-size", pinnedMemoryPoolByteSize, 0...Int.max)
    }

    /// By the GPU's number.
    ///
    /// - Throws: `invalidArgument` for anything but `gpu:bytes`.
    func gpuMemoryPools() throws(HalcyonError) -> [Int: Int] {
        var sizes: [Int: Int] = [:]
        for text in cudaMemoryPoolByteSizes {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let gpu = Int(parts[0]), gpu >= 0, let size = Int(parts[1]), size >= 0 else {
                throw HalcyonError(
                    .invalidArgument, "--cuda-memory-pool-byte-size takes GPU:BYTES, got '\(text)'")
            }
            sizes[gpu] = size
        }
        return sizes
    }

    /// What there is for rate limiters.
    ///
    /// - Throws: `invalidArgument` for anything but `name:count` and `name:count:gpu`.
    func resources() throws(HalcyonError) -> [RateLimitResource] {
        var resources: [RateLimitResource] = []
        for text in rateLimitResources {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            let gpu = parts.count == 3 ? Int(parts[2]) : nil
            guard parts.count == 2 || gpu != nil, let name = parts.first, !name.isEmpty, let count = Int(parts[1]),
                count >= 0, (gpu ?? 0) >= 0
            else {
                throw HalcyonError(
                    .invalidArgument, "--rate-limit-resource takes NAME:COUNT or NAME:COUNT:GPU, got '\(text)'")
            }
            resources.append(RateLimitResource(name: String(name), count: count, gpu: gpu))
        }
        return resources
    }
}
