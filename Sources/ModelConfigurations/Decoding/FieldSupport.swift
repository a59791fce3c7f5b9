/// What this version does with each field of the schema.
///
/// A field that would change what a model does, and that the engine can't act on, is an error when it is set: nothing
/// is silently ignored. A test walks the schema and finds every field in exactly one of these lists.
enum FieldSupport {
    /// Decoded and acted on. A message that is listed has its own fields listed too.
    static let supported: Set<String> = [
        "ModelConfig.name", "ModelConfig.platform", "ModelConfig.backend", "ModelConfig.runtime",
        "ModelConfig.version_policy",
        "ModelConfig.max_batch_size", "ModelConfig.input", "ModelConfig.output", "ModelConfig.optimization",
        "ModelConfig.dynamic_batching", "ModelConfig.instance_group", "ModelConfig.default_model_filename",
        "ModelConfig.parameters",
        "ModelVersionPolicy.latest", "ModelVersionPolicy.all", "ModelVersionPolicy.specific",
        "ModelVersionPolicy.Latest.num_versions", "ModelVersionPolicy.Specific.versions",
        "ModelInput.name", "ModelInput.data_type", "ModelInput.format", "ModelInput.dims",
        "ModelOutput.name", "ModelOutput.data_type", "ModelOutput.dims", "ModelOutput.label_filename",
        "ModelInstanceGroup.name", "ModelInstanceGroup.kind", "ModelInstanceGroup.count", "ModelInstanceGroup.gpus",
        "ModelInstanceGroup.host_policy",
        "ModelInstanceGroup.rate_limiter", "ModelRateLimiter.resources", "ModelRateLimiter.priority",
        "ModelRateLimiter.Resource.name", "ModelRateLimiter.Resource.global", "ModelRateLimiter.Resource.count",
        "ModelOptimizationPolicy.eager_batching", "ModelOptimizationPolicy.graph",
        "ModelOptimizationPolicy.Graph.level", "ModelOptimizationPolicy.execution_accelerators",
        "ModelOptimizationPolicy.ExecutionAccelerators.gpu_execution_accelerator",
        "ModelOptimizationPolicy.ExecutionAccelerators.cpu_execution_accelerator",
        "ModelOptimizationPolicy.ExecutionAccelerators.Accelerator.name",
        "ModelOptimizationPolicy.ExecutionAccelerators.Accelerator.parameters",
        "ModelDynamicBatching.preferred_batch_size", "ModelDynamicBatching.max_queue_delay_microseconds",
        "ModelDynamicBatching.preserve_ordering", "ModelDynamicBatching.priority_levels",
        "ModelDynamicBatching.default_priority_level", "ModelDynamicBatching.default_queue_policy",
        "ModelDynamicBatching.priority_queue_policy",
        "ModelQueuePolicy.timeout_action", "ModelQueuePolicy.default_timeout_microseconds",
        "ModelQueuePolicy.allow_timeout_override", "ModelQueuePolicy.max_queue_size",
        "ModelParameter.string_value", "ModelConfig.metric_tags",
        "ModelConfig.model_transaction_policy", "ModelTransactionPolicy.decoupled",
        "ModelConfig.response_cache", "ModelResponseCache.enable",
        "ModelConfig.model_repository_agents", "ModelRepositoryAgents.agents", "ModelRepositoryAgents.Agent.name",
        "ModelRepositoryAgents.Agent.parameters",
        "ModelConfig.model_metrics", "ModelMetrics.metric_control",
        "ModelMetrics.MetricControl.metric_identifier", "ModelMetrics.MetricControl.histogram_options",
        "ModelMetrics.MetricControl.MetricIdentifier.family", "ModelMetrics.MetricControl.HistogramOptions.buckets",
        "ModelConfig.batch_input", "ModelConfig.batch_output", "BatchInput.kind", "BatchInput.target_name",
        "BatchInput.data_type", "BatchInput.source_input", "BatchOutput.kind", "BatchOutput.target_name",
        "BatchOutput.source_input", "ModelInput.allow_ragged_batch",
        "ModelInput.reshape", "ModelOutput.reshape", "ModelTensorReshape.shape", "ModelInput.optional",
        "ModelConfig.model_warmup", "ModelWarmup.name", "ModelWarmup.batch_size", "ModelWarmup.inputs",
        "ModelWarmup.count", "ModelWarmup.Input.data_type", "ModelWarmup.Input.dims", "ModelWarmup.Input.zero_data",
        "ModelWarmup.Input.random_data", "ModelWarmup.Input.input_data_file",
        "ModelConfig.sequence_batching", "ModelSequenceBatching.direct", "ModelSequenceBatching.oldest",
        "ModelSequenceBatching.max_sequence_idle_microseconds", "ModelSequenceBatching.control_input",
        "ModelSequenceBatching.state", "ModelSequenceBatching.iterative_sequence",
        "ModelSequenceBatching.StrategyDirect.max_queue_delay_microseconds",
        "ModelSequenceBatching.StrategyDirect.minimum_slot_utilization",
        "ModelSequenceBatching.StrategyOldest.max_candidate_sequences",
        "ModelSequenceBatching.StrategyOldest.preferred_batch_size",
        "ModelSequenceBatching.StrategyOldest.max_queue_delay_microseconds",
        "ModelSequenceBatching.StrategyOldest.preserve_ordering",
        "ModelSequenceBatching.ControlInput.name", "ModelSequenceBatching.ControlInput.control",
        "ModelSequenceBatching.Control.kind", "ModelSequenceBatching.Control.int32_false_true",
        "ModelSequenceBatching.Control.fp32_false_true", "ModelSequenceBatching.Control.bool_false_true",
        "ModelSequenceBatching.Control.data_type",
        "ModelSequenceBatching.State.input_name", "ModelSequenceBatching.State.output_name",
        "ModelSequenceBatching.State.data_type", "ModelSequenceBatching.State.dims",
        "ModelSequenceBatching.State.initial_state", "ModelSequenceBatching.InitialState.data_type",
        "ModelSequenceBatching.InitialState.dims", "ModelSequenceBatching.InitialState.zero_data",
        "ModelSequenceBatching.InitialState.data_file", "ModelSequenceBatching.InitialState.name",
        "ModelConfig.ensemble_scheduling", "ModelEnsembling.step", "ModelEnsembling.max_inflight_requests",
        "ModelEnsembling.Step.model_name", "ModelEnsembling.Step.model_version", "ModelEnsembling.Step.input_map",
        "ModelEnsembling.Step.output_map", "ModelEnsembling.Step.model_namespace",
    ]

    /// Accepted without effect: what it is about, mostly how copies to and from a GPU are staged, is decided here by
    /// what memory there is.
    static let withoutEffect: Set<String> = [
        "ModelOptimizationPolicy.input_pinned_memory", "ModelOptimizationPolicy.output_pinned_memory",
        "ModelOptimizationPolicy.gather_kernel_buffer_threshold",
        // How Triton manages a state's memory; here every state has its own.
        "ModelSequenceBatching.State.use_same_buffer_for_input_output",
        "ModelSequenceBatching.State.use_growable_memory",
    ]

    /// Ignored with a warning: Triton has other files for GPUs of a given compute capability.
    static let ignored: Set<String> = ["ModelConfig.cc_model_filenames"]

    /// An error when set to anything but its default.
    static let unsupported: Set<String> = [
        "ModelConfig.model_operations",
        "ModelInput.is_shape_tensor", "ModelInput.is_non_linear_format_io",
        "ModelOutput.is_shape_tensor", "ModelOutput.is_non_linear_format_io",
        "ModelInstanceGroup.secondary_devices", "ModelInstanceGroup.profile",
        "ModelInstanceGroup.passive",
        "ModelOptimizationPolicy.priority", "ModelOptimizationPolicy.cuda",
    ]

    /// Complains about every field of the message, and of the messages in it, that can't be acted on.
    static func check(_ message: ConfigurationMessage, path: String, _ diagnostics: inout DiagnosticList) {
        for field in ConfigurationSchema.fields(of: message.type) {
            let name = "\(message.type).\(field.name)"
            let isList = field.cardinality != .singular
            for (index, node) in message.nodes(field.name).enumerated() {
                var nodePath = path.isEmpty ? field.name : "\(path).\(field.name)"
                if isList { nodePath += "[\(index)]" }
                if unsupported.contains(name) && !node.value.isDefault {
                    diagnostics.error("'\(field.name)' is not supported by this version", at: node.position, nodePath)
                } else if ignored.contains(name) {
                    diagnostics.warning(
                        "'\(field.name)' has no effect: the same file runs on every GPU", at: node.position, nodePath)
                } else if supported.contains(name), case .message(let inner) = node.value {
                    check(inner, path: nodePath, &diagnostics)
                }
            }
        }
    }
}

extension ConfigurationNode.Value {
    /// Whether it says no more than leaving the field out would.
    fileprivate var isDefault: Bool {
        switch self {
        case .string(let text): text.isEmpty
        case .bool(let value): !value
        case .signed(let value): value == 0
        case .unsigned(let value): value == 0
        case .number(let value): value == 0
        case .enumeration(let name): ConfigurationSchema.isFirst(name)
        case .message(let message): message.fields.values.joined().allSatisfy(\.value.isDefault)
        }
    }
}

extension ConfigurationSchema {
    /// Whether an enumeration has that name as its first value, which is the default.
    fileprivate static func isFirst(_ name: String) -> Bool { enumerations.values.contains { $0.first == name } }
}
