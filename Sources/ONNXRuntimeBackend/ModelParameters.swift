internal import Tensors

/// A model's parameters and the backend's defaults for them, under Triton's names.
struct ModelParameters: Sendable, Equatable {
    /// `intra_op_thread_count`: threads within an operator; `nil`, which is written 0, for the plan's.
    var intraOpThreads: Int?
    /// `inter_op_thread_count`: operators side by side, in parallel mode only; `nil` for as many as threads.
    var interOpThreads: Int?
    /// `execution_mode`: whether operators run side by side (1) or one after the other (0).
    var runsOperatorsInParallel = false
    /// `enable_mem_arena`: whether memory that is free again is kept.
    var usesMemoryArena = true
    /// `enable_mem_pattern`: whether memory is laid out in advance, where shapes repeat.
    var usesMemoryPattern = true
    /// `memory.enable_memory_arena_shrinkage`: which arenas give unused memory back after each run, `cpu:0` for
    /// instance.
    var arenaShrinkage: String?
    /// The engine's own settings of a session, whose names begin with `session.`: of the operator any, of a model those
    /// in ``SessionEntries``.
    var sessionEntries: [String: String] = [:]
    /// `cudnn_conv_algo_search`, `gpu_mem_limit`, `arena_extend_strategy`, `do_copy_in_default_stream`: the older way
    /// to give options of the CUDA execution provider.
    var cudaOptions: [String: String] = [:]
    /// `share_session_between_instances`: whether the instances on a GPU share a session; `nil` to go by the providers.
    var sharesSession: Bool?
    /// `sessions_per_gpu`: for how many shapes of the inputs a GPU has a session of its own; `nil`, which is written 0,
    /// to go by the model and the engine.
    var sessionsPerGPU: Int?
    /// `trt_engine_cache_path`, `trt_timing_cache_path`: folders that the operator has for what TensorRT keeps.
    var cacheFolders: [String: String] = [:]
    /// `enable-global-threadpool`: whether all sessions share the threads of one pool. The operator's only.
    var sharesThreads = false
    /// The model's parameters that are none of these, in alphabetical order.
    var ignored: [String] = []

    /// - Parameters:
    ///   - backend: the operator's settings for all models.
    ///   - model: the `parameters` of a model's configuration. They may come over the network, so they can't name
    ///     files or folders.
    /// - Throws: `invalidArgument` or `unsupported`, with the parameter's name.
    init(backend: [String: String], model: [String: String], modelName: String) throws(HalcyonError) {
        let owner = "the onnxruntime backend's configuration"
        for (name, value) in backend.sorted(by: { $0.key < $1.key }) {
            if ["trt_engine_cache_path", "trt_timing_cache_path"].contains(name) {
                cacheFolders[name] = value
                continue
            }
            if name.hasPrefix("session.") {
                sessionEntries[name] = value
                continue
            }
            if name == Self.globalThreads {
                sharesThreads = try Self.flag(value, "\(owner): parameter '\(name)'")
                continue
            }
            if try take(name, value, owner: owner) { continue }
            throw HalcyonError(
                .invalidArgument, "\(owner): there is no parameter '\(name)'; expected \(Self.known)")
        }
        for (name, value) in model.sorted(by: { $0.key < $1.key })
        where try !take(name, value, owner: "model '\(modelName)'") {
            ignored.append(name)
        }
    }

    static let globalThreads = "enable-global-threadpool"

    private static let known =
        "intra_op_thread_count, inter_op_thread_count, execution_mode, enable_mem_arena, enable_mem_pattern, "
        + "memory.enable_memory_arena_shrinkage, cudnn_conv_algo_search, gpu_mem_limit, arena_extend_strategy, "
        + "do_copy_in_default_stream, share_session_between_instances, sessions_per_gpu, "
        + "trt_engine_cache_path, trt_timing_cache_path, default-max-batch-size, \(globalThreads), or a "
        + "setting that begins with 'session.'"

    /// - Returns: whether there is such a parameter.
    private mutating func take(_ name: String, _ value: String, owner: String) throws(HalcyonError) -> Bool {
        let subject = "\(owner): parameter '\(name)'"
        switch name {
        case "intra_op_thread_count":
            intraOpThreads = try Self.count(value, upTo: 1024, of: "threads", orZero: "for the model's share", subject)
        case "inter_op_thread_count":
            interOpThreads = try Self.count(value, upTo: 1024, of: "threads", orZero: "for the model's share", subject)
        case "execution_mode": runsOperatorsInParallel = try Self.flag(value, subject)
        case "enable_mem_arena": usesMemoryArena = try Self.flag(value, subject)
        case "enable_mem_pattern": usesMemoryPattern = try Self.flag(value, subject)
        case "memory.enable_memory_arena_shrinkage": arenaShrinkage = value
        case "share_session_between_instances": sharesSession = try Self.flag(value.lowercased(), subject)
        case "sessions_per_gpu":
            sessionsPerGPU = try Self.count(
                value, upTo: 64, of: "sessions", orZero: "to go by the model and the engine", subject)
        case _ where AcceleratorOptions.olderCUDA.contains(name): cudaOptions[name] = value
        case "trt_engine_cache_path", "trt_timing_cache_path":
            throw HalcyonError(
                .unsupported,
                "\(subject) names a path, which only the server's operator sets: --backend-config "
                    + "onnxruntime,\(name)=FOLDER")
        case _ where name.hasPrefix("session."):
            guard SessionEntries.ofModels.contains(name) else {
                throw HalcyonError(
                    .unsupported,
                    "\(subject) is not one that a model may set; expected one of "
                        + "\(SessionEntries.ofModels.sorted().joined(separator: ", ")). The server's operator sets "
                        + "any: --backend-config onnxruntime,\(name)=VALUE")
            }
            sessionEntries[name] = value
        default: return false
        }
        return true
    }

    /// - Returns: `nil` for 0.
    private static func count(
        _ value: String, upTo limit: Int, of what: String, orZero meaning: String, _ subject: String
    ) throws(HalcyonError) -> Int? {
        guard let count = Int(value), (0...limit).contains(count) else {
            throw HalcyonError(
                .invalidArgument,
                "\(subject) is '\(value)'; expected a number of \(what) up to \(limit), or 0 \(meaning)")
        }
        return count == 0 ? nil : count
    }

    private static func flag(_ value: String, _ subject: String) throws(HalcyonError) -> Bool {
        switch value {
        case "0", "false": return false
        case "1", "true": return true
        default: throw HalcyonError(.invalidArgument, "\(subject) is '\(value)'; expected 0 or 1")
        }
    }
}
