package import CUDADriver
package import EngineSearch
public import Logging
public import ModelRuntime

/// What an ``InferenceServer`` is started with.
public struct ServerOptions: Sendable {
    /// How models come to be loaded.
    public enum ModelControlMode: String, Hashable, Sendable, CaseIterable {
        /// All models of the repositories, at start.
        case none
        /// ``ServerOptions/startupModels`` at start; others when ``InferenceServer/loadModel(_:)`` asks for them.
        case explicit
        /// All models at start, and then whatever comes, changes and goes in the repositories.
        case poll
    }

    /// Folders with models, absolute or relative to the working directory; at least one, unless there are
    /// ``modelFiles`` or ``repositorySources``.
    public var repositoryPaths: [String]
    /// Repositories that lie elsewhere, in a store on the network for instance: each fills a folder, which is searched
    /// behind those of ``repositoryPaths``.
    public var repositorySources: [any RepositorySource] = []
    /// Models that lie in no repository: paths of files, or of folders where a format is one. Each is served, as
    /// version 1, under its name without the ending, and configured from what it says itself. The files stay where they
    /// are, and their names must differ. They are not looked at again until they are loaded again.
    public var modelFiles: [String] = []
    /// How models come to be loaded.
    public var modelControlMode: ModelControlMode = .none
    /// Whether several repositories may have models of the same name. Ensembles then use those of their own repository,
    /// and a request names one that is not alone with its name by the repository's absolute path, a slash and the name.
    public var allowsSameModelNames = false
    /// Whether links in a repository may lead out of it: where models lie in a hub's cache or on a shared disk, for
    /// instance, and the links to them are the operator's own. Otherwise a model with such a link is refused.
    public var followsLinks = false
    /// Whether a repository that is not there is an error at start. Otherwise the server is not ready until it is
    /// there; with ``ModelControlMode/none`` it stays so.
    public var requiresRepositories = true
    /// Which configuration models take that have several: that in the file `configs/NAME.pbtxt` in the model's folder,
    /// where there is one. Empty for `config.pbtxt`.
    public var modelConfigurationName = ""
    /// What a model is called that lies in place of a repository: its own folder, or a folder with its file and nothing
    /// around it. Empty for the name of that folder.
    public var loneModelName = ""
    /// How often the repositories are looked at where they are polled. A model is loaded when it looks the same twice
    /// in a row, so that none is loaded half-written.
    public var repositoryPollInterval: Duration = .seconds(15)
    /// The models to load at start in explicit mode; `*` alone for all that lie in the repositories.
    public var startupModels: [String] = []
    /// The folder whose sub-folders hold the engines' libraries, `openvino/` for instance; `nil` to leave finding them
    /// to the system's loader.
    public var backendDirectory: String?
    /// Where the engines' libraries are looked for, in place of ``backendDirectory``.
    package var engineSearch: EngineLocator?
    /// Settings of an engine for all of its models, by the engine's name: `["openvino": ["CACHE_DIR": "/var/cache"]]`.
    public var backendConfiguration: [String: [String: String]] = [:]
    /// Whether a backend's library may lie in the folder of a model or of its version, which is looked at first
    /// then. It is code, which runs as the server does.
    public var allowsModelBackends = false
    /// Engines beside those that come with the library. One with the name of another takes its place.
    public var backends: [any Backend] = []
    /// The processors to use; `nil` for what affinity mask and control group allow.
    public var cpuBudget: CPUBudget?
    /// Where the threads and the memory of instances are, by the policy's name: see ``HostPolicy``.
    public var hostPolicies: [String: HostPolicy] = [:]
    /// Whether models run on zeros before they are ready, one item and the sizes that batches will have, so that the
    /// first requests do not pay for what an engine sets up on first use. These runs are in no statistics. Only models
    /// are tried whose inputs are all floating-point numbers or bytes of fixed sizes and two dimensions or more:
    /// others may be parameters for which 0 is no value. One that fails on zeros is served all the same. A model's
    /// parameter `automatic_warmup` comes first; the samples of its `model_warmup` run in any case.
    public var warmsUpModels = true
    /// The maximum batch size of a model that could batch and whose configuration does not say.
    public var defaultMaxBatchSize = 4
    /// Whether what a configuration leaves open is completed from the model itself.
    public var completesConfigurations = true
    /// Whether the server is ready only if every model that was asked for is.
    public var isReadinessStrict = true
    /// Models that are loaded at the same time. One that takes longer than 30 s counts no longer.
    public var modelLoadCount = 4
    /// How long a load may take before it is given up; zero for as long as it takes. Nothing can interrupt an engine:
    /// what a load leaves there goes on by itself, and is released when it ends.
    public var modelLoadTimeout: Duration = .seconds(3600)
    /// Whether the rate limiters of instance groups are acted on.
    public var limitsRates = false
    /// The resources that rate limiters speak of. One that is not here is there as often as the instance with the
    /// greatest need takes it.
    public var resources: [RateLimitResource] = []
    /// How long an execution may take before its requests get an error and its instance is replaced; zero for as long
    /// as it takes. A model's parameter `execution_timeout_microseconds` comes first. Of decoupled models the time is
    /// watched until the backend has taken on a request. Models that are watched run on threads of their own only,
    /// never on a caller's.
    public var executionTimeout: Duration = .zero
    /// Which models run in processes of their own.
    public var isolation = Isolation.perModel
    /// The program that such processes are; `nil` for this one, where it calls
    /// ``InferenceServer/runWorkerIfAsked(backends:)``.
    public var workerCommand: WorkerCommand?
    /// Whether such processes are kept to the files that they need, and from networks, programs and new privileges.
    public var sandboxesWorkers = false
    /// The folders of engines' libraries by the engine's name, where they are known already.
    package var engineDirectories: [String: [String]]?
    /// The quantiles of the latencies that statistics show; empty for none, as each costs memory and time.
    public var summaryQuantiles: [SummaryQuantile] = []
    /// The last batches of each model that are kept to be looked at (``InferenceServer/batches(_:version:after:)``); 0
    /// for none. Each takes about 300 bytes once the model has been used.
    package var recordedBatches = 0
    /// Bytes for the answers of models whose configuration has `response_cache { enable: true }`; 0 for no cache.
    public var responseCacheByteSize = 0
    /// The cache for those answers, in place of one of ``responseCacheByteSize``; `nil` for that one.
    public var responseCache: ResponseCacheOptions?
    /// The folder with libraries of response caches, each in a folder of its name; `nil` for
    /// `/opt/tritonserver/caches`.
    public var cacheDirectory: String?
    /// The folder with libraries of repository agents, each in a folder of its name; `nil` for
    /// `/opt/tritonserver/repoagents`.
    public var repositoryAgentDirectory: String?
    /// Page-locked memory that is kept for reuse on a machine with GPUs, in bytes; 0 for none. It is reserved as it is
    /// needed, and beyond it there is ordinary memory.
    public var pinnedMemoryPoolByteSize = 256 << 20
    /// Memory of a GPU that is kept for reuse, in bytes, by the GPU's number; 64 MiB for those that are not named, 0
    /// for none. It is reserved as it is needed, and what goes beyond it is asked of the GPU each time.
    public var gpuMemoryPoolByteSizes: [Int: Int] = [:]
    /// GPUs of a lower CUDA compute capability are not used.
    public var minimumComputeCapability = 6.0
    /// The machine's GPUs, where they are not to be looked for.
    package var gpus: GPUs?
    /// How long ``InferenceServer/shutdown()`` lets waiting requests finish.
    public var exitTimeout: Duration = .seconds(30)
    /// Where the server logs to. By default it logs nothing.
    public var log = Logger(label: "halcyon", factory: { _ in SwiftLogNoOpLogHandler() })

    /// Options for a server of these repositories; everything else has its default.
    public init(repositoryPaths: [String] = []) { self.repositoryPaths = repositoryPaths }
}
