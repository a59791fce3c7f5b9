/// Triton's `ModelConfig` message and all that it consists of, as its clients' descriptors have it.
extension ConfigurationSchema {
    static let messages: [String: [Field]] = [
        "BatchInput": [
            Field("kind", .enumeration("BatchInput.Kind")),
            Field("target_name", .string, .repeated),
            Field("data_type", .enumeration("DataType")),
            Field("source_input", .string, .repeated),
        ],
        "BatchOutput": [
            Field("target_name", .string, .repeated),
            Field("kind", .enumeration("BatchOutput.Kind")),
            Field("source_input", .string, .repeated),
        ],
        "ModelConfig": [
            Field("name", .string),
            Field("platform", .string),
            Field("backend", .string),
            Field("runtime", .string),
            Field("version_policy", .message("ModelVersionPolicy")),
            Field("max_batch_size", .int32),
            Field("input", .message("ModelInput"), .repeated),
            Field("output", .message("ModelOutput"), .repeated),
            Field("batch_input", .message("BatchInput"), .repeated),
            Field("batch_output", .message("BatchOutput"), .repeated),
            Field("optimization", .message("ModelOptimizationPolicy")),
            Field("dynamic_batching", .message("ModelDynamicBatching"), oneof: "scheduling_choice"),
            Field("sequence_batching", .message("ModelSequenceBatching"), oneof: "scheduling_choice"),
            Field("ensemble_scheduling", .message("ModelEnsembling"), oneof: "scheduling_choice"),
            Field("instance_group", .message("ModelInstanceGroup"), .repeated),
            Field("default_model_filename", .string),
            Field("cc_model_filenames", .string, .map(key: .string)),
            Field("metric_tags", .string, .map(key: .string)),
            Field("parameters", .message("ModelParameter"), .map(key: .string)),
            Field("model_warmup", .message("ModelWarmup"), .repeated),
            Field("model_operations", .message("ModelOperations")),
            Field("model_transaction_policy", .message("ModelTransactionPolicy")),
            Field("model_repository_agents", .message("ModelRepositoryAgents")),
            Field("response_cache", .message("ModelResponseCache")),
            Field("model_metrics", .message("ModelMetrics")),
        ],
        "ModelDynamicBatching": [
            Field("preferred_batch_size", .int32, .repeated),
            Field("max_queue_delay_microseconds", .uint64),
            Field("preserve_ordering", .bool),
            Field("priority_levels", .uint64),
            Field("default_priority_level", .uint64),
            Field("default_queue_policy", .message("ModelQueuePolicy")),
            Field("priority_queue_policy", .message("ModelQueuePolicy"), .map(key: .uint64)),
        ],
        "ModelEnsembling": [
            Field("step", .message("ModelEnsembling.Step"), .repeated),
            Field("max_inflight_requests", .uint32),
        ],
        "ModelEnsembling.Step": [
            Field("model_name", .string),
            Field("model_version", .int64),
            Field("input_map", .string, .map(key: .string)),
            Field("output_map", .string, .map(key: .string)),
            Field("model_namespace", .string),
        ],
        "ModelInput": [
            Field("name", .string),
            Field("data_type", .enumeration("DataType")),
            Field("format", .enumeration("ModelInput.Format")),
            Field("dims", .int64, .repeated),
            Field("reshape", .message("ModelTensorReshape")),
            Field("is_shape_tensor", .bool),
            Field("allow_ragged_batch", .bool),
            Field("optional", .bool),
            Field("is_non_linear_format_io", .bool),
        ],
        "ModelInstanceGroup": [
            Field("name", .string),
            Field("kind", .enumeration("ModelInstanceGroup.Kind")),
            Field("count", .int32),
            Field("rate_limiter", .message("ModelRateLimiter")),
            Field("gpus", .int32, .repeated),
            Field("secondary_devices", .message("ModelInstanceGroup.SecondaryDevice"), .repeated),
            Field("profile", .string, .repeated),
            Field("passive", .bool),
            Field("host_policy", .string),
        ],
        "ModelInstanceGroup.SecondaryDevice": [
            Field("kind", .enumeration("ModelInstanceGroup.SecondaryDevice.SecondaryDeviceKind")),
            Field("device_id", .int64),
        ],
        "ModelMetrics": [
            Field("metric_control", .message("ModelMetrics.MetricControl"), .repeated)
        ],
        "ModelMetrics.MetricControl": [
            Field("metric_identifier", .message("ModelMetrics.MetricControl.MetricIdentifier")),
            Field(
                "histogram_options", .message("ModelMetrics.MetricControl.HistogramOptions"), oneof: "metric_options"),
        ],
        "ModelMetrics.MetricControl.HistogramOptions": [
            Field("buckets", .number, .repeated)
        ],
        "ModelMetrics.MetricControl.MetricIdentifier": [
            Field("family", .string)
        ],
        "ModelOperations": [
            Field("op_library_filename", .string, .repeated)
        ],
        "ModelOptimizationPolicy": [
            Field("graph", .message("ModelOptimizationPolicy.Graph")),
            Field("priority", .enumeration("ModelOptimizationPolicy.ModelPriority")),
            Field("cuda", .message("ModelOptimizationPolicy.Cuda")),
            Field("execution_accelerators", .message("ModelOptimizationPolicy.ExecutionAccelerators")),
            Field("input_pinned_memory", .message("ModelOptimizationPolicy.PinnedMemoryBuffer")),
            Field("output_pinned_memory", .message("ModelOptimizationPolicy.PinnedMemoryBuffer")),
            Field("gather_kernel_buffer_threshold", .uint32),
            Field("eager_batching", .bool),
        ],
        "ModelOptimizationPolicy.Cuda": [
            Field("graphs", .bool),
            Field("busy_wait_events", .bool),
            Field("graph_spec", .message("ModelOptimizationPolicy.Cuda.GraphSpec"), .repeated),
            Field("output_copy_stream", .bool),
        ],
        "ModelOptimizationPolicy.Cuda.GraphSpec": [
            Field("batch_size", .int32),
            Field("input", .message("ModelOptimizationPolicy.Cuda.GraphSpec.Shape"), .map(key: .string)),
            Field("graph_lower_bound", .message("ModelOptimizationPolicy.Cuda.GraphSpec.LowerBound")),
        ],
        "ModelOptimizationPolicy.Cuda.GraphSpec.LowerBound": [
            Field("batch_size", .int32),
            Field("input", .message("ModelOptimizationPolicy.Cuda.GraphSpec.Shape"), .map(key: .string)),
        ],
        "ModelOptimizationPolicy.Cuda.GraphSpec.Shape": [
            Field("dim", .int64, .repeated)
        ],
        "ModelOptimizationPolicy.ExecutionAccelerators": [
            Field(
                "gpu_execution_accelerator", .message("ModelOptimizationPolicy.ExecutionAccelerators.Accelerator"),
                .repeated),
            Field(
                "cpu_execution_accelerator", .message("ModelOptimizationPolicy.ExecutionAccelerators.Accelerator"),
                .repeated),
        ],
        "ModelOptimizationPolicy.ExecutionAccelerators.Accelerator": [
            Field("name", .string),
            Field("parameters", .string, .map(key: .string)),
        ],
        "ModelOptimizationPolicy.Graph": [
            Field("level", .int32)
        ],
        "ModelOptimizationPolicy.PinnedMemoryBuffer": [
            Field("enable", .bool)
        ],
        "ModelOutput": [
            Field("name", .string),
            Field("data_type", .enumeration("DataType")),
            Field("dims", .int64, .repeated),
            Field("reshape", .message("ModelTensorReshape")),
            Field("label_filename", .string),
            Field("is_shape_tensor", .bool),
            Field("is_non_linear_format_io", .bool),
        ],
        "ModelParameter": [
            Field("string_value", .string)
        ],
        "ModelQueuePolicy": [
            Field("timeout_action", .enumeration("ModelQueuePolicy.TimeoutAction")),
            Field("default_timeout_microseconds", .uint64),
            Field("allow_timeout_override", .bool),
            Field("max_queue_size", .uint32),
        ],
        "ModelRateLimiter": [
            Field("resources", .message("ModelRateLimiter.Resource"), .repeated),
            Field("priority", .uint32),
        ],
        "ModelRateLimiter.Resource": [
            Field("name", .string),
            Field("global", .bool),
            Field("count", .uint32),
        ],
        "ModelRepositoryAgents": [
            Field("agents", .message("ModelRepositoryAgents.Agent"), .repeated)
        ],
        "ModelRepositoryAgents.Agent": [
            Field("name", .string),
            Field("parameters", .string, .map(key: .string)),
        ],
        "ModelResponseCache": [
            Field("enable", .bool)
        ],
        "ModelSequenceBatching": [
            Field("direct", .message("ModelSequenceBatching.StrategyDirect"), oneof: "strategy_choice"),
            Field("oldest", .message("ModelSequenceBatching.StrategyOldest"), oneof: "strategy_choice"),
            Field("max_sequence_idle_microseconds", .uint64),
            Field("control_input", .message("ModelSequenceBatching.ControlInput"), .repeated),
            Field("state", .message("ModelSequenceBatching.State"), .repeated),
            Field("iterative_sequence", .bool),
        ],
        "ModelSequenceBatching.Control": [
            Field("kind", .enumeration("ModelSequenceBatching.Control.Kind")),
            Field("int32_false_true", .int32, .repeated),
            Field("fp32_false_true", .number, .repeated),
            Field("bool_false_true", .bool, .repeated),
            Field("data_type", .enumeration("DataType")),
        ],
        "ModelSequenceBatching.ControlInput": [
            Field("name", .string),
            Field("control", .message("ModelSequenceBatching.Control"), .repeated),
        ],
        "ModelSequenceBatching.InitialState": [
            Field("data_type", .enumeration("DataType")),
            Field("dims", .int64, .repeated),
            Field("zero_data", .bool, oneof: "state_data"),
            Field("data_file", .string, oneof: "state_data"),
            Field("name", .string),
        ],
        "ModelSequenceBatching.State": [
            Field("input_name", .string),
            Field("output_name", .string),
            Field("data_type", .enumeration("DataType")),
            Field("dims", .int64, .repeated),
            Field("initial_state", .message("ModelSequenceBatching.InitialState"), .repeated),
            Field("use_same_buffer_for_input_output", .bool),
            Field("use_growable_memory", .bool),
        ],
        "ModelSequenceBatching.StrategyDirect": [
            Field("max_queue_delay_microseconds", .uint64),
            Field("minimum_slot_utilization", .number),
        ],
        "ModelSequenceBatching.StrategyOldest": [
            Field("max_candidate_sequences", .int32),
            Field("preferred_batch_size", .int32, .repeated),
            Field("max_queue_delay_microseconds", .uint64),
            Field("preserve_ordering", .bool),
        ],
        "ModelTensorReshape": [
            Field("shape", .int64, .repeated)
        ],
        "ModelTransactionPolicy": [
            Field("decoupled", .bool)
        ],
        "ModelVersionPolicy": [
            Field("latest", .message("ModelVersionPolicy.Latest"), oneof: "policy_choice"),
            Field("all", .message("ModelVersionPolicy.All"), oneof: "policy_choice"),
            Field("specific", .message("ModelVersionPolicy.Specific"), oneof: "policy_choice"),
        ],
        "ModelVersionPolicy.All": [],
        "ModelVersionPolicy.Latest": [
            Field("num_versions", .uint32)
        ],
        "ModelVersionPolicy.Specific": [
            Field("versions", .int64, .repeated)
        ],
        "ModelWarmup": [
            Field("name", .string),
            Field("batch_size", .uint32),
            Field("inputs", .message("ModelWarmup.Input"), .map(key: .string)),
            Field("count", .uint32),
        ],
        "ModelWarmup.Input": [
            Field("data_type", .enumeration("DataType")),
            Field("dims", .int64, .repeated),
            Field("zero_data", .bool, oneof: "input_data_type"),
            Field("random_data", .bool, oneof: "input_data_type"),
            Field("input_data_file", .string, oneof: "input_data_type"),
        ],
    ]

    static let enumerations: [String: [String]] = [
        "BatchInput.Kind": [
            "BATCH_ELEMENT_COUNT",
            "BATCH_ACCUMULATED_ELEMENT_COUNT",
            "BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO",
            "BATCH_MAX_ELEMENT_COUNT_AS_SHAPE",
            "BATCH_ITEM_SHAPE",
            "BATCH_ITEM_SHAPE_FLATTEN",
        ],
        "BatchOutput.Kind": ["BATCH_SCATTER_WITH_INPUT_SHAPE"],
        "DataType": [
            "TYPE_INVALID",
            "TYPE_BOOL",
            "TYPE_UINT8",
            "TYPE_UINT16",
            "TYPE_UINT32",
            "TYPE_UINT64",
            "TYPE_INT8",
            "TYPE_INT16",
            "TYPE_INT32",
            "TYPE_INT64",
            "TYPE_FP16",
            "TYPE_FP32",
            "TYPE_FP64",
            "TYPE_STRING",
            "TYPE_BF16",
        ],
        "ModelInput.Format": ["FORMAT_NONE", "FORMAT_NHWC", "FORMAT_NCHW"],
        "ModelInstanceGroup.Kind": ["KIND_AUTO", "KIND_GPU", "KIND_CPU", "KIND_MODEL"],
        "ModelInstanceGroup.SecondaryDevice.SecondaryDeviceKind": ["KIND_NVDLA"],
        "ModelOptimizationPolicy.ModelPriority": ["PRIORITY_DEFAULT", "PRIORITY_MAX", "PRIORITY_MIN"],
        "ModelQueuePolicy.TimeoutAction": ["REJECT", "DELAY"],
        "ModelSequenceBatching.Control.Kind": [
            "CONTROL_SEQUENCE_START",
            "CONTROL_SEQUENCE_READY",
            "CONTROL_SEQUENCE_END",
            "CONTROL_SEQUENCE_CORRID",
        ],
    ]
}
