internal import CUDADriver
internal import EngineSearch
internal import IdentityBackend
internal import LibraryFiles
internal import Logging
package import ModelRepository
internal import ModelRuntime
internal import ONNXRuntimeBackend
internal import OpenVINOBackend
internal import RepeatBackend
package import Tensors
internal import Threads
internal import TritonInterface

// What a server is made of, from its options.
extension InferenceServer {
    static func gpus(_ options: ServerOptions) -> GPUs {
        if let gpus = options.gpus { return gpus }
        var settings = GPUs.Options()
        settings.pinnedPoolByteSize = options.pinnedMemoryPoolByteSize
        settings.poolByteSizes = options.gpuMemoryPoolByteSizes
        settings.minimumComputeCapability = options.minimumComputeCapability
        return GPUs(options: settings)
    }

    static func loader(
        _ options: ServerOptions, backends: [String: any Backend], gpus: GPUs, budget: CPUBudget,
        environment: ExecutionEnvironment
    ) throws(HalcyonError) -> ModelLoader {
        let files = options.modelFiles
        var repository = try ModelRepositoryReader(
            paths: options.repositoryPaths + options.repositorySources.map(\.folder),
            allowsSameNames: options.allowsSameModelNames,
            mustExist: options.requiresRepositories,
            own: files.isEmpty ? nil : try PrivateRepository(modelFiles: files))
        repository.followsLinks = options.followsLinks
        repository.backendFolders = backendFolders(options)
        try repository.prefer(configuration: options.modelConfigurationName)
        try repository.callLoneModel(options.loneModelName)
        var loader = ModelLoader(
            repository: repository,
            backends: backends,
            completion: .init(
                defaultMaxBatchSize: options.defaultMaxBatchSize, isEnabled: options.completesConfigurations),
            warmsUp: options.warmsUpModels, budget: budget, environment: environment)
        loader.agents = TritonRepositoryAgents(
            directory: options.repositoryAgentDirectory ?? "/opt/tritonserver/repoagents", log: options.log)
        loader.sources = RepositorySources(options.repositorySources)
        loader.defaultMaxBatchSizes = try BackendDefaults.maxBatchSizes(options.backendConfiguration)
        loader.gpus = { gpus.devices.map(\.number) }
        loader.minimumComputeCapability = options.minimumComputeCapability
        loader.environment.memory = gpus
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
            options,
            backends: try backends(
                options, allEnginePlaces(options), gpus: gpus, cores: budget.cores, pauses: (Pauses(), Pauses())),
            gpus: gpus, budget: budget,
            environment: ExecutionEnvironment(clock: clock, timer: DeadlineTimer(clock: clock), log: options.log))
    }

    /// Where an engine is looked for, and what to say where it is nowhere.
    typealias EnginePlaces = (directories: [String], absence: LibraryAbsence)

    /// Those of all engines, by name.
    static func allEnginePlaces(_ options: ServerOptions) -> [String: EnginePlaces] {
        var places: [String: EnginePlaces] = [:]
        for name in engineNames { places[name] = enginePlaces(name, options) }
        return places.merging(tritonPlaces(options)) { own, _ in own }
    }

    static func backends(
        _ options: ServerOptions, _ places: [String: EnginePlaces], gpus: GPUs, cores: Int,
        pauses: (loading: Pauses, executing: Pauses), models: ServerModels? = nil
    ) throws(HalcyonError) -> [String: any Backend] {
        let none: EnginePlaces = ([], LibraryAbsence())
        let (openVINO, onnxRuntime) = (places["openvino"] ?? none, places["onnxruntime"] ?? none)
        let settings = { (name: String) in BackendDefaults.settings(of: name, options) }
        var openVINOOptions = OpenVINOEngine.Options(
            libraryDirectories: openVINO.directories, configuration: settings("openvino"))
        openVINOOptions.absence = openVINO.absence
        var onnxRuntimeOptions = ONNXRuntimeEngine.Options(
            libraryDirectories: onnxRuntime.directories, configuration: settings("onnxruntime"), gpus: gpus,
            cores: cores)
        onnxRuntimeOptions.absence = onnxRuntime.absence
        let engines: [any Backend] = [
            OpenVINOEngine(options: openVINOOptions), ONNXRuntimeEngine(options: onnxRuntimeOptions),
        ]
        var backends: [String: any Backend] = [:]
        let examples: [any Backend] = [
            IdentityEngine(loading: pauses.loading, executing: pauses.executing),
            RepeatEngine(pauses: pauses.executing),
        ]
        let foreign = tritonBackends(options, places, models: models)
        for backend in foreign + engines + examples + options.backends {
            backends[backend.name] = backend
        }
        for name in options.backendConfiguration.keys.sorted()
        where !(engines + foreign).contains(where: { $0.name == name })
            && !(options.allowsModelBackends && backends[name] == nil)
        {
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
    private static func enginePlaces(_ name: String, _ options: ServerOptions) -> EnginePlaces {
        if let known = options.engineDirectories { return (known[name] ?? [], LibraryAbsence()) }
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
}
