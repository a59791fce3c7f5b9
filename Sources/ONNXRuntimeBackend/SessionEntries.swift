/// The engine's settings of a session that a model's configuration may have.
///
/// It may come over the network, and some of the engine's settings have it read or write files, not all of them under
/// names that say so. So these are listed, rather than those that are refused.
enum SessionEntries {
    static let ofModels: Set<String> = [
        // Threads.
        "session.dynamic_block_base", "session.force_spinning_stop", "session.inter_op.allow_spinning",
        "session.intra_op.allow_spinning",
        // Memory.
        "session.disable_prepacking", "session.use_device_allocator_for_initializers", "session.use_env_allocators",
        // Arithmetic.
        "session.set_denormal_as_zero", "session.use_deterministic_compute", "session.x64quantprecision",
        // Quantized graphs.
        "session.disable_double_qdq_remover", "session.disable_qdq_constant_folding", "session.disable_quant_qdq",
        "session.enable_dq_matmulnbits_fusion", "session.enable_quant_qdq_cleanup",
        "session.qdq_matmulnbits_accuracy_level", "session.qdq_matmulnbits_block_size", "session.qdqisint8allowed",
        // What a graph may be, and how often it is gone over.
        "session.allow_released_opsets_only", "session.disable_aot_function_inlining",
        "session.disable_cpu_ep_fallback", "session.graph_optimizations_loop_level",
        "session.strict_shape_type_inference",
    ]
}
