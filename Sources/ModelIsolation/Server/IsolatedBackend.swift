internal import JSONText
internal import Logging
internal import ModelConfigurations
package import ModelRuntime
internal import Tensors

/// Runs another backend's models in processes of their own.
package struct IsolatedBackend: Backend {
    /// How a model's processes are made, and what they may.
    package struct Options: Sendable {
        package var launcher: any WorkerLauncher
        package var settings: WorkerSettings
        /// Bytes of resident memory that a process may take; 0 for no limit.
        package var memoryLimit: UInt64 = 0
        /// Nanoseconds that an execution may take; 0 for as long as it takes.
        package var executionLimit: UInt64 = 0
        /// Whether each instance has a process of its own, or all have one together.
        package var isPerInstance = false
        /// Whether a batch that ended a process is tried once more, request by request.
        package var triesBatchesAgain = false
        /// Whether the processes are left only the files that they need.
        package var isSandboxed = false

        package init(launcher: any WorkerLauncher, settings: WorkerSettings) {
            self.launcher = launcher
            self.settings = settings
        }
    }

    private let wrapped: any Backend
    private let options: Options

    package init(_ wrapped: any Backend, options: Options) {
        self.wrapped = wrapped
        self.options = options
    }

    package var name: String { wrapped.name }
    package var modelFilenames: [String] { wrapped.modelFilenames }
    package var isInstalled: Bool { wrapped.isInstalled }
    package var gpuSupport: GPUSupport { wrapped.gpuSupport }
    package var takesExecutionAccelerators: Bool { wrapped.takesExecutionAccelerators }
    package var takesRuntime: Bool { wrapped.takesRuntime }

    package func openModel(_ source: ModelSource) throws -> any BackendModel {
        // It knows best what to say of an engine that is not there. What `runtime` names may be there all the same.
        let namesLibrary = wrapped.takesRuntime && !source.configuration.runtime.isEmpty
        guard wrapped.isInstalled || namesLibrary else { return try wrapped.openModel(source) }
        var wire = ControlRequest.Source()
        wire.backend = wrapped.name
        wire.modelName = source.modelName
        wire.version = source.version
        wire.configuration = IsolatedModel.bytes(of: source.configuration)
        wire.modelDirectory = source.modelDirectory
        wire.modelPath = source.modelPath
        var settings = options.settings
        settings.logLevel = source.log.logLevel.rawValue
        if options.isSandboxed { settings.sandbox = sandbox(source) }
        let plan = WorkerSeat.Plan(
            launcher: options.launcher, settings: settings, limits: .init(memory: options.memoryLimit), source: wire,
            executionLimit: options.executionLimit, memory: InputMemory(), log: source.log)
        return try IsolatedModel(plan, options, source.abandonment)
    }

    /// The model's folder, the engine's libraries, and the system's.
    func sandbox(_ source: ModelSource) -> WorkerSettings.SandboxPaths {
        let name = ModelBackends.shownName(of: wrapped.name, for: source.configuration)
        var paths = WorkerSettings.SandboxPaths()
        paths.readable =
            [source.modelDirectory] + (source.modelPath.map { [$0] } ?? [])
            + (options.settings.engineDirectories[name] ?? []) + SandboxDefaults.readable
        paths.writable = SandboxDefaults.writable
        // Where compiled models are kept, if the operator has named a place.
        for (key, value) in options.settings.backendConfiguration[name] ?? [:] {
            if key.lowercased() == "cache_dir" { paths.writable.append(value) }
            if key.lowercased() == "cpu_extension_path" { paths.readable.append(value) }
        }
        return paths
    }
}

/// What every worker needs of the machine's files.
enum SandboxDefaults {
    static let readable = ["/usr", "/lib", "/lib64", "/bin", "/etc", "/proc", "/sys", "/run", "/opt"]
    /// Devices of GPUs, and the memory that processes share.
    static let writable = ["/dev"]
}
