/// Triton's `ModelConfig` message and all that it consists of, as its clients' descriptors have it.
extension ConfigurationSchema {
    static let messages: [String: [Field]] = [
        "BatchInput": [
            Field(1, "kind", .enumeration("BatchInput.Kind")),
            Field(2, "target_name", .string, .repeated),
            Field(3, "data_type", .enumeration("DataType")),
            Field(4, "source_input", .string, .repeated),
        ],
        "BatchOutput": [
            Field(1, "target_name", .string, .repeated),
            Field(2, "kind", .enumeration("BatchOutput.Kind")),
            Field(3, "source_input", .string, .repeated),
        ],
        "ModelConfig": [
            Field(1, "name", .string),
            Field(2, "platform", .string),
            Field(17, "backend", .string),
            Field(25, "runtime", .string),
            Field(3, "version_policy", .message("ModelVersionPolicy")),
            Field(4, "max_batch_size", .int32),
            Field(5, "input", .message("ModelInput"), .repeated),
            Field(6, "output", .message("ModelOutput"), .repeated),
            Field(20, "batch_input", .message("BatchInput"), .repeated),
            Field(21, "batch_output", .message("BatchOutput"), .repeated),
            Field(12, "optimization", .message("ModelOptimizationPolicy")),
            Field(11, "dynamic_batching", .message("ModelDynamicBatching"), oneof: "scheduling_choice"),
            Field(13, "sequence_batching", .message("ModelSequenceBatching"), oneof: "scheduling_choice"),
            Field(15, "ensemble_scheduling", .message("ModelEnsembling"), oneof: "scheduling_choice"),
            Field(7, "instance_group", .message("ModelInstanceGroup"), .repeated),
            Field(8, "default_model_filename", .string),
            Field(9, "cc_model_filenames", .string, .map(key: .string)),
            Field(10, "metric_tags", .string, .map(key: .string)),
            Field(14, "parameters", .message("ModelParameter"), .map(key: .string)),
            Field(16, "model_warmup", .message("ModelWarmup"), .repeated),
            Field(18, "model_operations", .message("ModelOperations")),
            Field(19, "model_transaction_policy", .message("ModelTransactionPolicy")),
            Field(23, "model_repository_agents", .message("ModelRepositoryAgents")),
            Field(24, "response_cache", .message("ModelResponseCache")),
            Field(26, "model_metrics", .message("ModelMetrics")),
        ],
        "ModelDynamicBatching": [
            Field(1, "preferred_batch_size", .int32, .repeated),
            Field(2, "max_queue_delay_microseconds", .uint64),
            Field(3, "preserve_ordering", .bool),
            Field(4, "priority_levels", .uint64),
            Field(5, "default_priority_level", .uint64),
            Field(6, "default_queue_policy", .message("ModelQueuePolicy")),
            Field(7, "priority_queue_policy", .message("ModelQueuePolicy"), .map(key: .uint64)),
        ],
        "ModelEnsembling": [
            Field(1, "step", .message("ModelEnsembling.Step"), .repeated),
            Field(2, "max_inflight_requests", .uint32),
        ],
        "ModelEnsembling.Step": [
            Field(1, "model_name", .string),
            Field(2, "model_version", .int64),
            Field(3, "input_map", .string, .map(key: .string)),
            Field(4, "output_map", .string, .map(key: .string)),
            Field(5, "model_namespace", .string),
        ],
        "ModelInput": [
            Field(1, "name", .string),
            Field(2, "data_type", .enumeration("DataType")),
            Field(3, "format", .enumeration("ModelInput.Format")),
            Field(4, "dims", .int64, .repeated),
            Field(5, "reshape", .message("ModelTensorReshape")),
            Field(6, "is_shape_tensor", .bool),
            Field(7, "allow_ragged_batch", .bool),
            Field(8, "optional", .bool),
            Field(9, "is_non_linear_format_io", .bool),
        ],
        "ModelInstanceGroup": [
            Field(1, "name", .string),
            Field(4, "kind", .enumeration("ModelInstanceGroup.Kind")),
            Field(2, "count", .int32),
            Field(6, "rate_limiter", .message("ModelRateLimiter")),
            Field(3, "gpus", .int32, .repeated),
            Field(8, "secondary_devices", .message("ModelInstanceGroup.SecondaryDevice"), .repeated),
            Field(5, "profile", .string, .repeated),
            Field(7, "passive", .bool),
            Field(9, "host_policy", .string),
        ],
        "ModelInstanceGroup.SecondaryDevice": [
            Field(1, "kind", .enumeration("ModelInstanceGroup.SecondaryDevice.SecondaryDeviceKind")),
            Field(2, "device_id", .int64),
        ],
        "ModelMetrics": [
            Field(1, "metric_control", .message("ModelMetrics.MetricControl"), .repeated)
        ],
        "ModelMetrics.MetricControl": [
            Field(1, "metric_identifier", .message("ModelMetrics.MetricControl.MetricIdentifier")),
            Field(
                2, "histogram_options", .message("ModelMetrics.MetricControl.HistogramOptions"), oneof: "metric_options"
            ),
        ],
        "ModelMetrics.MetricControl.HistogramOptions": [
            Field(1, "buckets", .double, .repeated)
        ],
        "ModelMetrics.MetricControl.MetricIdentifier": [
            Field(1, "family", .string)
        ],
        "ModelOperations": [
            Field(1, "op_library_filename", .string, .repeated)
        ],
        "ModelOptimizationPolicy": [
            Field(1, "graph", .message("ModelOptimizationPolicy.Graph")),
            Field(2, "priority", .enumeration("ModelOptimizationPolicy.ModelPriority")),
            Field(3, "cuda", .message("ModelOptimizationPolicy.Cuda")),
            Field(4, "execution_accelerators", .message("ModelOptimizationPolicy.ExecutionAccelerators")),
            Field(5, "input_pinned_memory", .message("ModelOptimizationPolicy.PinnedMemoryBuffer")),
            Field(6, "output_pinned_memory", .message("ModelOptimizationPolicy.PinnedMemoryBuffer")),
            Field(7, "gather_kernel_buffer_threshold", .uint32),
            Field(8, "eager_batching", .bool),
        ],
        "ModelOptimizationPolicy.Cuda": [
            Field(1, "graphs", .bool),
            Field(2, "busy_wait_events", .bool),
            Field(3, "graph_spec", .message("ModelOptimizationPolicy.Cuda.GraphSpec"), .repeated),
            Field(4, "output_copy_stream", .bool),
        ],
        "ModelOptimizationPolicy.Cuda.GraphSpec": [
            Field(1, "batch_size", .int32),
            Field(2, "input", .message("ModelOptimizationPolicy.Cuda.GraphSpec.Shape"), .map(key: .string)),
            Field(3, "graph_lower_bound", .message("ModelOptimizationPolicy.Cuda.GraphSpec.LowerBound")),
        ],
        "ModelOptimizationPolicy.Cuda.GraphSpec.LowerBound": [
            Field(1, "batch_size", .int32),
            Field(2, "input", .message("ModelOptimizationPolicy.Cuda.GraphSpec.Shape"), .map(key: .string)),
        ],
        "ModelOptimizationPolicy.Cuda.GraphSpec.Shape": [
            Field(1, "dim", .int64, .repeated)
        ],
        "ModelOptimizationPolicy.ExecutionAccelerators": [
            Field(
                1, "gpu_execution_accelerator", .message("ModelOptimizationPolicy.ExecutionAccelerators.Accelerator"),
                .repeated),
            Field(
                2, "cpu_execution_accelerator", .message("ModelOptimizationPolicy.ExecutionAccelerators.Accelerator"),
                .repeated),
        ],
        "ModelOptimizationPolicy.ExecutionAccelerators.Accelerator": [
            Field(1, "name", .string),
            Field(2, "parameters", .string, .map(key: .string)),
        ],
        "ModelOptimizationPolicy.Graph": [
            Field(1, "level", .int32)
        ],
        "ModelOptimizationPolicy.PinnedMemoryBuffer": [
            Field(1, "enable", .bool)
        ],
        "ModelOutput": [
            Field(1, "name", .string),
            Field(2, "data_type", .enumeration("DataType")),
            Field(3, "dims", .int64, .repeated),
            Field(5, "reshape", .message("ModelTensorReshape")),
            Field(4, "label_filename", .string),
            Field(6, "is_shape_tensor", .bool),
            Field(7, "is_non_linear_format_io", .bool),
        ],
        "ModelParameter": [
            Field(1, "string_value", .string)
        ],
        "ModelQueuePolicy": [
            Field(1, "timeout_action", .enumeration("ModelQueuePolicy.TimeoutAction")),
            Field(2, "default_timeout_microseconds", .uint64),
            Field(3, "allow_timeout_override", .bool),
            Field(4, "max_queue_size", .uint32),
        ],
        "ModelRateLimiter": [
            Field(1, "resources", .message("ModelRateLimiter.Resource"), .repeated),
            Field(2, "priority", .uint32),
        ],
        "ModelRateLimiter.Resource": [
            Field(1, "name", .string),
            Field(2, "global", .bool),
            Field(3, "count", .uint32),
        ],
        "ModelRepositoryAgents": [
            Field(1, "agents", .message("ModelRepositoryAgents.Agent"), .repeated)
        ],
        "ModelRepositoryAgents.Agent": [
            Field(1, "name", .string),
            Field(2, "parameters", .string, .map(key: .string)),
        ],
        "ModelResponseCache": [
            Field(1, "enable", .bool)
        ],
        "ModelSequenceBatching": [
            Field(3, "direct", .message("ModelSequenceBatching.StrategyDirect"), oneof: "strategy_choice"),
            Field(4, "oldest", .message("ModelSequenceBatching.StrategyOldest"), oneof: "strategy_choice"),
            Field(1, "max_sequence_idle_microseconds", .uint64),
            Field(2, "control_input", .message("ModelSequenceBatching.ControlInput"), .repeated),
            Field(5, "state", .message("ModelSequenceBatching.State"), .repeated),
            Field(6, "iterative_sequence", .bool),
        ],
        "ModelSequenceBatching.Control": [
            Field(1, "kind", .enumeration("ModelSequenceBatching.Control.Kind")),
            Field(2, "int32_false_true", .int32, .repeated),
            Field(3, "fp32_false_true", .float, .repeated),
            Field(5, "bool_false_true", .bool, .repeated),
            Field(4, "data_type", .enumeration("DataType")),
        ],
        "ModelSequenceBatching.ControlInput": [
            Field(1, "name", .string),
            Field(2, "control", .message("ModelSequenceBatching.Control"), .repeated),
        ],
        "ModelSequenceBatching.InitialState": [
            Field(1, "data_type", .enumeration("DataType")),
            Field(2, "dims", .int64, .repeated),
            Field(3, "zero_data", .bool, oneof: "state_data"),
            Field(4, "data_file", .string, oneof: "state_data"),
            Field(5, "name", .string),
        ],
        "ModelSequenceBatching.State": [
            Field(1, "input_name", .string),
            Field(2, "output_name", .string),
            Field(3, "data_type", .enumeration("DataType")),
            Field(4, "dims", .int64, .repeated),
            Field(5, "initial_state", .message("ModelSequenceBatching.InitialState"), .repeated),
            Field(6, "use_same_buffer_for_input_output", .bool),
            Field(7, "use_growable_memory", .bool),
        ],
        "ModelSequenceBatching.StrategyDirect": [
            Field(1, "max_queue_delay_microseconds", .uint64),
            Field(2, "minimum_slot_utilization", .float),
        ],
        "ModelSequenceBatching.StrategyOldest": [
            Field(1, "max_candidate_sequences", .int32),
            Field(2, "preferred_batch_size", .int32, .repeated),
            Field(3, "max_queue_delay_microseconds", .uint64),
            Field(4, "preserve_ordering", .bool),
        ],
        "ModelTensorReshape": [
            Field(1, "shape", .int64, .repeated)
        ],
        "ModelTransactionPolicy": [
            Field(1, "decoupled", .bool)
        ],
        "ModelVersionPolicy": [
            Field(1, "latest", .message("ModelVersionPolicy.Latest"), oneof: "policy_choice"),
            Field(2, "all", .message("ModelVersionPolicy.All"), oneof: "policy_choice"),
            Field(3, "specific", .message("ModelVersionPolicy.Specific"), oneof: "policy_choice"),
        ],
        "ModelVersionPolicy.All": [],
        "ModelVersionPolicy.Latest": [
            Field(1, "num_versions", .uint32)
        ],
        "ModelVersionPolicy.Specific": [
            Field(1, "versions", .int64, .repeated)
        ],
        "ModelWarmup": [
            Field(1, "name", .string),
            Field(2, "batch_size", .uint32),
            Field(3, "inputs", .message("ModelWarmup.Input"), .map(key: .string)),
            Field(4, "count", .uint32),
        ],
        "ModelWarmup.Input": [
            Field(1, "data_type", .enumeration("DataType")),
            Field(2, "dims", .int64, .repeated),
            Field(3, "zero_data", .bool, oneof: "input_data_type"),
            Field(4, "random_data", .bool, oneof: "input_data_type"),
            Field(5, "input_data_file", .string, oneof: "input_data_type"),
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
