internal import COnnxRuntime
internal import LibraryFiles
internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors

/// How the engine makes a model ready, and with how many threads it runs it.
struct SessionSettings: Equatable, Sendable {
    /// The engine's levels of rewriting a graph before it runs.
    enum GraphOptimization: Int32, Sendable {
        case none = 0
        case basic = 1
        case extended = 2
        case all = 99

        /// Triton's numbers: `optimization { graph { level } }`.
        init?(level: Int) {
            switch level {
            case 0: self = .all
            case -1: self = .basic
            case 1: self = .extended
            case 2: self = .none
            default: return nil
            }
        }
    }

    var graphOptimization: GraphOptimization
    var intraOpThreads: Int
    var interOpThreads: Int
    var parameters: ModelParameters
    /// What computes the graph; the engine's own code does what these can't.
    var providers: [ExecutionProvider] = []

    /// For reading nothing but the model's inputs and outputs.
    static func reading(_ parameters: ModelParameters) -> SessionSettings {
        var parameters = parameters
        parameters.runsOperatorsInParallel = false
        parameters.sessionEntries["session.disable_prepacking"] = "1"
        return SessionSettings(
            graphOptimization: .none, intraOpThreads: 1, interOpThreads: 1, parameters: parameters)
    }

    /// For running with the plan's share of the processor.
    ///
    /// All instances run on one session, so that the weights are there once. Each computes on its own thread, and all
    /// have the session's threads as helpers: `threads - streams` of them make up the plan's number. The engine counts
    /// the caller's thread as one of its own, hence one more.
    ///
    /// - Throws: `invalidArgument` for a level of optimisation that does not exist.
    static func running(
        _ configuration: ModelConfiguration, _ parameters: ModelParameters, plan: CPUPlan
    ) throws(HalcyonError) -> SessionSettings {
        let level = configuration.optimization.graphLevel
        guard let graphOptimization = GraphOptimization(level: level) else {
            throw HalcyonError(
                .invalidArgument,
                "optimization.graph.level is \(level); expected -1 (basic), 1 (extended), 2 (none), or 0 for all")
        }
        return SessionSettings(
            graphOptimization: graphOptimization,
            intraOpThreads: parameters.intraOpThreads ?? max(1, plan.threads - plan.streams + 1),
            interOpThreads: parameters.runsOperatorsInParallel ? parameters.interOpThreads ?? plan.threads : 1,
            parameters: parameters)
    }

    /// The same on a GPU.
    func on(_ providers: [ExecutionProvider], gpu: Int) -> SessionSettings {
        var settings = self
        settings.providers = providers.map { provider in
            var provider = provider
            provider.options["device_id"] = String(gpu)
            return provider
        }
        return settings
    }

    /// Lets CUDA's provider reserve what is asked for, and not always the double, unless the model says otherwise.
    mutating func keepArenaSmall() {
        let key = "arena_extend_strategy"
        for index in providers.indices where providers[index].kind == .cuda && providers[index].options[key] == nil {
            providers[index].options[key] = "kSameAsRequested"
        }
    }

    /// The settings as the engine takes them.
    ///
    /// - Parameter stream: where the GPU's work goes; `nil` for streams of the engine's own.
    func options(_ runtime: Runtime, stream: UnsafeMutableRawPointer? = nil) throws(HalcyonError) -> Handle {
        let library = runtime.library
        let functions = library.functions
        let attempt = "ONNX Runtime does not take the model's settings"
        let options = try library.make(free: functions.release_session_options, attempt) {
            functions.create_session_options($0)
        }
        let pointer = options.pointer
        try library.check(
            functions.set_session_graph_optimization_level(pointer, graphOptimization.rawValue), attempt)
        if runtime.sharesThreads { try library.check(functions.disable_per_session_threads(pointer), attempt) }
        try library.check(functions.set_intra_op_num_threads(pointer, Int32(clamping: intraOpThreads)), attempt)
        try library.check(functions.set_inter_op_num_threads(pointer, Int32(clamping: interOpThreads)), attempt)
        try library.check(
            functions.set_session_execution_mode(pointer, parameters.runsOperatorsInParallel ? 1 : 0), attempt)
        let arena = parameters.usesMemoryArena ? functions.enable_cpu_mem_arena : functions.disable_cpu_mem_arena
        try library.check(arena(pointer), attempt)
        let pattern = parameters.usesMemoryPattern ? functions.enable_mem_pattern : functions.disable_mem_pattern
        try library.check(pattern(pointer), attempt)
        for (key, value) in sessionEntries.sorted(by: { $0.key < $1.key }) {
            try library.check(
                functions.add_session_config_entry(pointer, key, value), code: .invalidArgument,
                "ONNX Runtime does not take '\(key)' of '\(value)'")
        }
        for provider in providers { try runtime.append(provider, to: options, stream: stream) }
        return options
    }

    /// The engine's threads look for work for a while after a run, each with a whole core. That wins next to nothing
    /// where one run follows another, and costs everybody else: so they rest when no run is left, unless somebody wants
    /// it otherwise.
    var sessionEntries: [String: String] {
        parameters.sessionEntries.merging(["session.force_spinning_stop": "1"]) { given, _ in given }
    }

    /// What each run is told; `nil` for nothing.
    func runOptions(_ library: Library) throws(HalcyonError) -> Handle? {
        guard let shrinkage = parameters.arenaShrinkage else { return nil }
        let functions = library.functions
        let key = "memory.enable_memory_arena_shrinkage"
        let attempt = "ONNX Runtime does not take '\(key)' of '\(shrinkage)'"
        let options = try library.make(free: functions.release_run_options, attempt) {
            functions.create_run_options($0)
        }
        try library.check(
            functions.add_run_config_entry(options.pointer, key, shrinkage), code: .invalidArgument, attempt)
        return options
    }

    /// The same as an operator reads it.
    var described: [(name: String, value: String)] {
        [
            ("execution provider", (providers.map(\.kind.acceleratorName) + ["CPU"]).joined(separator: ", ")),
            ("threads of the session", String(intraOpThreads)),
            ("operators side by side", parameters.runsOperatorsInParallel ? String(interOpThreads) : "no"),
            ("graph optimization", "\(graphOptimization)"),
        ]
    }
}
