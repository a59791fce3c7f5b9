internal import Tensors

/// The parameters of an execution accelerator, by Triton's names, and what the engine calls them.
enum AcceleratorOptions {
    /// What a value has to be.
    enum Kind: Hashable, Sendable {
        case flag
        case number
        case text
        /// One of these names; their positions, from 0, are taken for them as well.
        case choice([String])
        /// Shapes of inputs, `input:1x3x544x960` for instance.
        case shapes
        /// The name of a file in a folder that the operator chose.
        case filename
    }

    private static let tensorRT: [String: (option: String, kind: Kind)] = [
        "max_workspace_size_bytes": ("trt_max_workspace_size", .number),
        "trt_max_partition_iterations": ("trt_max_partition_iterations", .number),
        "trt_min_subgraph_size": ("trt_min_subgraph_size", .number),
        "int8_calibration_table_name": ("trt_int8_calibration_table_name", .filename),
        "int8_use_native_calibration_table": ("trt_int8_use_native_calibration_table", .flag),
        "trt_dla_enable": ("trt_dla_enable", .flag), "trt_dla_core": ("trt_dla_core", .number),
        "trt_engine_cache_enable": ("trt_engine_cache_enable", .flag),
        "trt_engine_cache_prefix": ("trt_engine_cache_prefix", .filename),
        "trt_force_sequential_engine_build": ("trt_force_sequential_engine_build", .flag),
        "trt_context_memory_sharing_enable": ("trt_context_memory_sharing_enable", .flag),
        "trt_layer_norm_fp32_fallback": ("trt_layer_norm_fp32_fallback", .flag),
        "trt_timing_cache_enable": ("trt_timing_cache_enable", .flag),
        "trt_force_timing_cache": ("trt_force_timing_cache", .flag),
        "trt_detailed_build_log": ("trt_detailed_build_log", .flag),
        "trt_build_heuristics_enable": ("trt_build_heuristics_enable", .flag),
        "trt_sparsity_enable": ("trt_sparsity_enable", .flag),
        "trt_builder_optimization_level": ("trt_builder_optimization_level", .number),
        "trt_auxiliary_streams": ("trt_auxiliary_streams", .number),
        "trt_tactic_sources": ("trt_tactic_sources", .text),
        "trt_profile_min_shapes": ("trt_profile_min_shapes", .shapes),
        "trt_profile_max_shapes": ("trt_profile_max_shapes", .shapes),
        "trt_profile_opt_shapes": ("trt_profile_opt_shapes", .shapes),
    ]

    private static let cuda: [String: Kind] = [
        "cudnn_conv_algo_search": .choice(["EXHAUSTIVE", "HEURISTIC", "DEFAULT"]),
        "gpu_mem_limit": .number,
        "arena_extend_strategy": .choice(["kNextPowerOfTwo", "kSameAsRequested"]),
        "do_copy_in_default_stream": .flag, "cudnn_conv_use_max_workspace": .flag,
        "cudnn_conv1d_pad_to_nc1d": .flag, "use_ep_level_unified_stream": .flag, "use_tf32": .flag,
        "prefer_nhwc": .flag, "fuse_conv_bias": .flag, "enable_skip_layer_norm_strict_mode": .flag,
        "tunable_op_enable": .flag, "tunable_op_tuning_enable": .flag,
        "tunable_op_max_tuning_duration_ms": .number, "sdpa_kernel": .number,
    ]

    /// The older way to give some of CUDA's, among the model's parameters.
    static let olderCUDA: Set<String> = [
        "cudnn_conv_algo_search", "gpu_mem_limit", "arena_extend_strategy", "do_copy_in_default_stream",
    ]

    /// Files and folders, which only the operator names.
    private static let paths: Set<String> = [
        "trt_engine_cache_path", "trt_timing_cache_path", "trt_extra_plugin_lib_paths", "trt_ep_context_file_path",
        "trt_onnx_model_folder_path", "trt_engine_decryption_lib_path",
    ]

    private static let reasons = [
        "trt_dump_subgraphs": "writes files into the server's working directory",
        "trt_dump_ep_context_model": "writes files beside the model",
        "trt_ep_context_embed_mode": "is about files that are not written here",
        "trt_cuda_graph_enable": "needs inputs and outputs at the same addresses in each run, which they are not here",
        "enable_cuda_graph": "needs inputs and outputs at the same addresses in each run, which they are not here",
        "device_id": "is chosen by the instance group's gpus",
        "user_compute_stream": "is the server's to choose", "has_user_compute_stream": "is the server's to choose",
    ]

    /// An accelerator's parameters as the engine takes them.
    ///
    /// - Parameter subject: whose they are, for an error's beginning.
    /// - Throws: `invalidArgument` for a parameter that does not exist, or a value that does not fit it; `unsupported`
    ///   for one that is not a model's to set.
    static func options(
        of provider: ExecutionProvider.Kind, _ parameters: [String: String], subject: String
    ) throws(HalcyonError) -> [String: String] {
        var options: [String: String] = [:]
        for (name, value) in parameters.sorted(by: { $0.key < $1.key }) {
            let subject = "\(subject): parameter '\(name)' of the execution accelerator '\(provider.acceleratorName)'"
            if paths.contains(name) {
                throw HalcyonError(
                    .unsupported,
                    "\(subject) names a path, which only the server's operator sets: --backend-config "
                        + "onnxruntime,trt_engine_cache_path=FOLDER")
            }
            if let reason = reasons[name] { throw HalcyonError(.unsupported, "\(subject) \(reason)") }
            if provider == .tensorRT, name == "precision_mode" {
                try options.merge(precision(value, subject)) { _, new in new }
                continue
            }
            guard let (option, kind) = known(provider, name) else {
                throw HalcyonError(.invalidArgument, "\(subject) does not exist; expected \(names(provider))")
            }
            options[option] = try checked(value, kind, subject)
        }
        return options
    }

    private static func known(_ provider: ExecutionProvider.Kind, _ name: String) -> (option: String, kind: Kind)? {
        switch provider {
        case .tensorRT: tensorRT[name]
        case .cuda: cuda[name].map { (name, $0) }
        case .openVINO: nil
        }
    }

    private static func names(_ provider: ExecutionProvider.Kind) -> String {
        switch provider {
        case .tensorRT: (["precision_mode"] + tensorRT.keys).sorted().joined(separator: ", ")
        case .cuda: cuda.keys.sorted().joined(separator: ", ")
        case .openVINO: "none"
        }
    }

    private static func precision(_ value: String, _ subject: String) throws(HalcyonError) -> [String: String] {
        switch value {
        case "FP32": return [:]
        case "FP16": return ["trt_fp16_enable": "1"]
        case "BF16": return ["trt_bf16_enable": "1"]
        case "INT8": return ["trt_int8_enable": "1"]
        default:
            throw HalcyonError(.invalidArgument, "\(subject) is '\(value)'; expected FP32, FP16, BF16 or INT8")
        }
    }

    static func checked(_ value: String, _ kind: Kind, _ subject: String) throws(HalcyonError) -> String {
        let expected: String
        switch kind {
        case .flag:
            if ["1", "true"].contains(value.lowercased()) { return "1" }
            if ["0", "false"].contains(value.lowercased()) { return "0" }
            expected = "1 or 0"
        case .number:
            // Up to the engine's own "all there is", which is 64 bits of ones.
            if UInt64(value) != nil || Int64(value) == -1 { return value }
            expected = "a whole number"
        case .text:
            if !value.isEmpty { return value }
            expected = "a text"
        case .choice(let names):
            if let name = names.first(where: { $0 == value }) { return name }
            if let number = Int(value), names.indices.contains(number) { return names[number] }
            expected = names.enumerated().map { "\($0.offset) or \($0.element)" }.joined(separator: ", ")
        case .shapes:
            if areShapes(value) { return value }
            expected = "INPUT:1x3x2,OTHER:1x4, the sizes of each input"
        case .filename:
            if !value.isEmpty, !value.contains("/"), value != "..", value != "." { return value }
            expected = "a file's name without a folder"
        }
        throw HalcyonError(.invalidArgument, "\(subject) is '\(value)'; expected \(expected)")
    }

    private static func areShapes(_ value: String) -> Bool {
        !value.isEmpty
            && value.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { entry in
                guard let colon = entry.lastIndex(of: ":"), colon != entry.startIndex else { return false }
                return entry[entry.index(after: colon)...].split(separator: "x", omittingEmptySubsequences: false)
                    .allSatisfy { Int($0).map { $0 > 0 } ?? false }
            }
    }
}
