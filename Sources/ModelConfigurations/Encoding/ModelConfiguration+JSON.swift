package import JSONText
internal import Tensors

extension ModelConfiguration {
    /// The configuration as Triton's protocol shows it: every field that Triton prints, in its order, with
    /// its default where this configuration does not hold the field.
    package var jsonValue: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("platform", .string(platform)), .init("backend", .string(backend)),
            .init("runtime", .string(runtime)), .init("version_policy", versionPolicy.jsonValue),
            .init("max_batch_size", .integer(Int64(maxBatchSize))),
            .init("input", .array(inputs.map(Self.input))), .init("output", .array(outputs.map(Self.output))),
            .init("batch_input", .array(batchInputs.map(\.jsonValue))),
            .init("batch_output", .array(batchOutputs.map(\.jsonValue))),
        ]
        // An ensemble has nothing of its own to be optimised.
        if ensemble == nil { members.append(.init("optimization", optimization.jsonValue)) }
        if let dynamicBatching { members.append(.init("dynamic_batching", dynamicBatching.jsonValue)) }
        if let sequenceBatching { members.append(.init("sequence_batching", sequenceBatching.jsonValue)) }
        if let ensemble { members.append(.init("ensemble_scheduling", ensemble.jsonValue)) }
        members += [
            .init("instance_group", .array(instanceGroups.map(\.jsonValue))),
            .init("default_model_filename", .string(defaultModelFilename)),
            .init("cc_model_filenames", .object([])), .init("metric_tags", Self.texts(metricTags)),
            .init(
                "parameters",
                .object(
                    parameters.sorted { $0.key < $1.key }.map { .init($0.key, ["string_value": .string($0.value)]) })),
            .init("model_warmup", .array(warmUps.map(\.jsonValue))),
        ]
        if isDecoupled || ensemble != nil {
            members.append(.init("model_transaction_policy", ["decoupled": .bool(isDecoupled)]))
        }
        if !repositoryAgents.isEmpty {
            let agents = repositoryAgents.map { agent -> JSONValue in
                ["name": .string(agent.name), "parameters": Self.texts(agent.parameters)]
            }
            members.append(.init("model_repository_agents", ["agents": .array(agents)]))
        }
        if usesResponseCache { members.append(.init("response_cache", ["enable": true])) }
        if let firstResponseBuckets { members.append(.init("model_metrics", Self.metrics(firstResponseBuckets))) }
        return .object(members)
    }

    private static func metrics(_ buckets: [Double]) -> JSONValue {
        [
            "metric_control": [
                [
                    "metric_identifier": ["family": .string(ConfigurationDecoder.bucketedFamily)],
                    "histogram_options": ["buckets": .array(buckets.map { .number($0) })],
                ]
            ]
        ]
    }

    /// A map from text to text, by key.
    fileprivate static func texts(_ texts: [String: String]) -> JSONValue {
        .object(texts.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) })
    }

    private static func input(_ tensor: TensorConfiguration) -> JSONValue {
        .object(
            [
                .init("name", .string(tensor.name)),
                .init("data_type", .string(tensor.elementType.configurationName)),
                .init("format", .string(tensor.format.rawValue)), .init("dims", dimensions(tensor.dimensions)),
            ] + reshape(tensor) + [
                .init("is_shape_tensor", false), .init("allow_ragged_batch", .bool(tensor.allowsRaggedBatch)),
                .init("optional", .bool(tensor.isOptional)), .init("is_non_linear_format_io", false),
            ])
    }

    private static func output(_ tensor: TensorConfiguration) -> JSONValue {
        .object(
            [
                .init("name", .string(tensor.name)),
                .init("data_type", .string(tensor.elementType.configurationName)),
                .init("dims", dimensions(tensor.dimensions)),
            ] + reshape(tensor) + [
                .init("label_filename", .string(tensor.labelFilename)), .init("is_shape_tensor", false),
                .init("is_non_linear_format_io", false),
            ])
    }

    private static func reshape(_ tensor: TensorConfiguration) -> [JSONValue.Member] {
        tensor.reshape.map { [.init("reshape", ["shape": dimensions($0)])] } ?? []
    }

    fileprivate static func dimensions(_ shape: TensorShape) -> JSONValue {
        .array(shape.dimensions.map { .integer(Int64($0)) })
    }
}

extension BatchInput {
    fileprivate var jsonValue: JSONValue {
        [
            "kind": .string(kind.rawValue), "target_name": .array(targetNames.map(JSONValue.string)),
            "data_type": .string(elementType.configurationName), "source_input": [.string(sourceInput)],
        ]
    }
}

extension BatchOutput {
    fileprivate var jsonValue: JSONValue {
        [
            "target_name": .array(targetNames.map(JSONValue.string)), "kind": "BATCH_SCATTER_WITH_INPUT_SHAPE",
            "source_input": [.string(sourceInput)],
        ]
    }
}

extension EnsembleScheduling {
    fileprivate var jsonValue: JSONValue {
        [
            "step": .array(
                steps.map { step in
                    [
                        "model_name": .string(step.modelName), "model_version": .integer(step.modelVersion ?? -1),
                        "input_map": ModelConfiguration.texts(step.inputMap),
                        "output_map": ModelConfiguration.texts(step.outputMap), "model_namespace": "",
                    ]
                }),
            "max_inflight_requests": .integer(Int64(maxInflightRequests)),
        ]
    }
}

extension WarmUpSample {
    fileprivate var jsonValue: JSONValue {
        [
            "name": .string(name), "batch_size": .integer(Int64(batchSize)),
            "inputs": .object(inputs.sorted { $0.key < $1.key }.map { .init($0.key, $0.value.jsonValue) }),
            "count": .integer(Int64(count)),
        ]
    }
}

extension WarmUpSample.Input {
    fileprivate var jsonValue: JSONValue {
        let data: JSONValue.Member =
            switch self.data {
            case .zero: .init("zero_data", true)
            case .random: .init("random_data", true)
            case .file(let name): .init("input_data_file", .string(name))
            }
        return .object([
            .init("data_type", .string(elementType.configurationName)),
            .init("dims", ModelConfiguration.dimensions(dimensions)), data,
        ])
    }
}

extension VersionPolicy {
    fileprivate var jsonValue: JSONValue {
        switch self {
        case .latest(let count): ["latest": ["num_versions": .integer(Int64(count))]]
        case .all: ["all": .object([])]
        case .specific(let versions): ["specific": ["versions": .array(versions.map(JSONValue.integer))]]
        }
    }
}

extension ModelOptimization {
    fileprivate var jsonValue: JSONValue {
        var members: [JSONValue.Member] = [
            .init("priority", "PRIORITY_DEFAULT"), .init("input_pinned_memory", ["enable": true]),
            .init("output_pinned_memory", ["enable": true]), .init("gather_kernel_buffer_threshold", 0),
            .init("eager_batching", .bool(eagerBatching)),
        ]
        if graphLevel != 0 { members.insert(.init("graph", ["level": .integer(Int64(graphLevel))]), at: 0) }
        if !gpuAccelerators.isEmpty || !cpuAccelerators.isEmpty {
            members.append(
                .init(
                    "execution_accelerators",
                    [
                        "gpu_execution_accelerator": .array(gpuAccelerators.map(\.jsonValue)),
                        "cpu_execution_accelerator": .array(cpuAccelerators.map(\.jsonValue)),
                    ]))
        }
        return .object(members)
    }
}

extension ExecutionAccelerator {
    fileprivate var jsonValue: JSONValue {
        [
            "name": .string(name),
            "parameters": .object(
                parameters.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) }),
        ]
    }
}

extension DynamicBatching {
    fileprivate var jsonValue: JSONValue {
        var members: [JSONValue.Member] = [
            .init("preferred_batch_size", .array(preferredBatchSizes.map { .integer(Int64($0)) })),
            .init("max_queue_delay_microseconds", .count(maxQueueDelayMicroseconds)),
            .init("preserve_ordering", .bool(preserveOrdering)),
            .init("priority_levels", .integer(Int64(priorityLevels))),
            .init("default_priority_level", .integer(Int64(defaultPriorityLevel))),
        ]
        if defaultQueuePolicy != QueuePolicy() {
            members.append(.init("default_queue_policy", defaultQueuePolicy.jsonValue))
        }
        members.append(
            .init(
                "priority_queue_policy",
                .object(
                    priorityQueuePolicies.sorted { $0.key < $1.key }.map { .init(String($0.key), $0.value.jsonValue) }))
        )
        return .object(members)
    }
}

extension QueuePolicy {
    fileprivate var jsonValue: JSONValue {
        [
            "timeout_action": .string(timeoutAction.rawValue),
            "default_timeout_microseconds": .count(defaultTimeoutMicroseconds),
            "allow_timeout_override": .bool(allowTimeoutOverride), "max_queue_size": .integer(Int64(maxQueueSize)),
        ]
    }
}

extension InstanceGroup {
    fileprivate var jsonValue: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("kind", .string(kind.rawValue)), .init("count", .integer(Int64(count))),
        ]
        if let rateLimiter { members.append(.init("rate_limiter", rateLimiter.jsonValue)) }
        members += [
            .init("gpus", .array(gpus.map { .integer(Int64($0)) })), .init("secondary_devices", []),
            .init("profile", []), .init("passive", false), .init("host_policy", .string(hostPolicy)),
        ]
        return .object(members)
    }
}

extension ModelRateLimiter {
    fileprivate var jsonValue: JSONValue {
        [
            "resources": .array(
                resources.map {
                    ["name": .string($0.name), "global": .bool($0.isGlobal), "count": .integer(Int64($0.count))]
                }),
            "priority": .integer(Int64(priority)),
        ]
    }
}
