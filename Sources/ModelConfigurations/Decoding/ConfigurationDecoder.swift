internal import Tensors

/// Turns the tree of a configuration into values, and complains about those that can't be.
struct ConfigurationDecoder {
    let modelName: String
    var diagnostics: DiagnosticList

    mutating func decode(_ message: ConfigurationMessage) -> ModelConfiguration {
        FieldSupport.check(message, path: "", &diagnostics)
        var configuration = ModelConfiguration(name: modelName)
        checkName(message)
        configuration.platform = message.string("platform")
        configuration.backend = message.string("backend")
        checkFilename(message, "backend", what: "backend")
        configuration.runtime = runtime(message)
        configuration.versionPolicy = versionPolicy(message)
        configuration.maxBatchSize = maxBatchSize(message)
        configuration.inputs = tensors(message, "input")
        configuration.outputs = tensors(message, "output")
        configuration.instanceGroups = instanceGroups(message)
        configuration.defaultModelFilename = message.string("default_model_filename")
        checkFilename(message, "default_model_filename", what: "model file")
        for node in message.nodes("parameters") {
            if case .message(let value) = node.value {
                configuration.parameters[node.key] = value.string("string_value")
            }
        }
        if let optimization = message.message("optimization") {
            configuration.optimization.eagerBatching = optimization.bool("eager_batching")
            if let graph = optimization.message("graph") {
                configuration.optimization.graphLevel = Int(graph.integer("level"))
            }
            if let accelerators = optimization.message("execution_accelerators") {
                configuration.optimization.gpuAccelerators = self.accelerators(
                    accelerators, "gpu_execution_accelerator")
                configuration.optimization.cpuAccelerators = self.accelerators(
                    accelerators, "cpu_execution_accelerator")
            }
        }
        if let batching = message.message("dynamic_batching") {
            configuration.dynamicBatching = dynamicBatching(batching, maxBatchSize: configuration.maxBatchSize)
        }
        for node in message.nodes("metric_tags") {
            if case .string(let value) = node.value { configuration.metricTags[node.key] = value }
        }
        configuration.firstResponseBuckets = firstResponseBuckets(message)
        configuration.isDecoupled = message.message("model_transaction_policy")?.bool("decoupled") ?? false
        configuration.usesResponseCache = message.message("response_cache")?.bool("enable") ?? false
        configuration.repositoryAgents = repositoryAgents(message)
        configuration.warmUps = warmUps(message, configuration)
        configuration.ensemble = ensemble(message)
        configuration.sequenceBatching = sequenceBatching(message, maxBatchSize: configuration.maxBatchSize)
        configuration.batchInputs = batchInputs(message)
        configuration.batchOutputs = batchOutputs(message)
        checkRaggedInputs(message, configuration)
        checkChoices(message, configuration)
        return configuration
    }

    private mutating func checkName(_ message: ConfigurationMessage) {
        let name = message.string("name")
        guard !name.isEmpty, !modelName.isEmpty, name != modelName else { return }
        diagnostics.error(
            "unexpected directory name '\(modelName)' for model '\(name)', directory name must equal model name",
            at: message.position(of: "name"), "name", hint: "leave the name out, or rename one of the two")
    }

    private mutating func repositoryAgents(_ message: ConfigurationMessage) -> [RepositoryAgent] {
        guard let agents = message.message("model_repository_agents") else { return [] }
        return agents.nodes("agents").enumerated().compactMap { index, node in
            guard case .message(let agent) = node.value else { return nil }
            let path = "model_repository_agents.agents[\(index)].name"
            let name = agent.string("name")
            if name.isEmpty || name.contains("/") || name.hasPrefix(".") {
                diagnostics.error(
                    "a repository agent is called '\(name)'", at: node.position, path,
                    hint: "its name is that of a folder, which has its library")
            }
            var parameters: [String: String] = [:]
            for node in agent.nodes("parameters") {
                if case .string(let value) = node.value { parameters[node.key] = value }
            }
            return RepositoryAgent(name: name, parameters: parameters)
        }
    }

    /// A name that is to be looked up in one folder must not lead out of it.
    private mutating func checkFilename(_ message: ConfigurationMessage, _ field: String, what: String) {
        let name = message.string(field)
        let components = name.split(separator: "/", omittingEmptySubsequences: false)
        guard components.contains("..") || name.hasPrefix("/") || name.contains("\0") else { return }
        let text =
            what == "backend"
            ? "unable to find backend library for backend '\(name)', try specifying runtime on the model configuration."
            : "the name '\(name)' leads out of the version folder"
        diagnostics.error(
            text, at: message.position(of: field), field,
            hint: "a \(what)'s name has no '..' and does not begin with '/'")
    }

    /// The name of a file that lies in the backend's folder itself.
    private mutating func runtime(_ message: ConfigurationMessage) -> String {
        let name = message.string("runtime")
        if name.contains("/") || name.contains("\\") || name.contains("\0") || name == "." || name == ".." {
            diagnostics.error(
                "backend library name '\(name)' escapes the backend's folder, for model '\(modelName)', check model "
                    + "config runtime field", at: message.position(of: "runtime"), "runtime",
                hint: "it is the name of a file, without a path: 'libtriton_NAME.so', or 'model.py'")
        }
        return name
    }

    private mutating func versionPolicy(_ message: ConfigurationMessage) -> VersionPolicy {
        guard let policy = message.message("version_policy") else { return .latest(1) }
        if policy.node("all") != nil { return .all }
        if let specific = policy.message("specific") {
            let versions = specific.nodes("versions").map(\.value.integer)
            if versions.isEmpty {
                diagnostics.error(
                    "a specific version policy names no version", at: specific.position,
                    "version_policy.specific.versions")
            }
            for (index, version) in versions.enumerated() where version < 1 {
                diagnostics.error(
                    "a version is a number from 1, got \(version)", at: specific.nodes("versions")[index].position,
                    "version_policy.specific.versions[\(index)]")
            }
            return .specific(versions)
        }
        guard let latest = policy.message("latest") else { return .latest(1) }
        let count = latest.integer("num_versions")
        return .latest(count == 0 ? 1 : Int(clamping: count))
    }

    private mutating func maxBatchSize(_ message: ConfigurationMessage) -> Int {
        let size = message.integer("max_batch_size")
        if size < 0 {
            diagnostics.error(
                "'max_batch_size' must be non-negative value for \(modelName)",
                at: message.position(of: "max_batch_size"), "max_batch_size", hint: "0 is a model without batches")
        }
        return Int(clamping: max(0, size))
    }

    // MARK: Inputs and outputs

    private mutating func tensors(_ message: ConfigurationMessage, _ field: String) -> [TensorConfiguration] {
        var tensors: [TensorConfiguration] = []
        for (index, node) in message.nodes(field).enumerated() {
            guard case .message(let tensor) = node.value else { continue }
            let path = "\(field)[\(index)]"
            let name = tensor.string("name")
            if name.isEmpty, tensor.node("name") != nil || !tensor.mentions("name") {
                diagnostics.error(
                    "model \(field) must specify 'name' for \(modelName)", at: node.position, "\(path).name")
            } else if !name.isEmpty, tensors.contains(where: { $0.name == name }) {
                diagnostics.error(
                    "model \(field) '\(name)' is specified more than once for \(modelName)",
                    at: tensor.position(of: "name"), "\(path).name")
            }
            guard let type = elementType(tensor, name: name, field, path) else { continue }
            let dimensions = dimensions(tensor, name: name, field, path)
            checkFormat(tensor, dimensions, name: name, path)
            checkLabels(tensor, name: name, path)
            var configuration = TensorConfiguration(
                name: name, elementType: type, dimensions: dimensions,
                format: TensorConfiguration.Format(rawValue: tensor.string("format")) ?? .none,
                labelFilename: tensor.string("label_filename"))
            configuration.isOptional = tensor.bool("optional")
            configuration.allowsRaggedBatch = tensor.bool("allow_ragged_batch")
            configuration.reshape = reshape(tensor, dimensions, name: name, field, path)
            tensors.append(configuration)
        }
        return tensors
    }

    private mutating func elementType(
        _ tensor: ConfigurationMessage, name: String, _ field: String, _ path: String
    ) -> ElementType? {
        if let type = ElementType(configurationName: tensor.string("data_type")) { return type }
        if tensor.node("data_type") == nil, tensor.mentions("data_type") { return nil }
        diagnostics.error(
            "model \(field) '\(name)' must specify 'data_type' for \(modelName)", at: tensor.position(of: "data_type"),
            "\(path).data_type", hint: "TYPE_FP32, for instance")
        return nil
    }

    private mutating func dimensions(
        _ tensor: ConfigurationMessage, name: String, _ field: String, _ path: String
    ) -> TensorShape {
        let nodes = tensor.nodes("dims")
        if nodes.isEmpty, !tensor.mentions("dims") {
            diagnostics.error(
                "model \(field) '\(name)' must specify 'dims' for \(modelName)", at: tensor.position, "\(path).dims",
                hint: "dims has the sizes without the batch, and -1 for any size")
        }
        for (index, node) in nodes.enumerated() where node.value.integer < 1 && node.value.integer != -1 {
            diagnostics.error(
                "model \(field) '\(name)' dimension must be integer >= 1, or -1 to indicate a variable-size "
                    + "dimension for "
                    + modelName, at: node.position, "\(path).dims[\(index)]", hint: "got \(node.value.integer)")
        }
        let shape = TensorShape(nodes.map { Int(clamping: $0.value.integer) })
        let fixed = TensorShape(shape.dimensions.filter { $0 > 0 })
        do {
            _ = try fixed.byteCount(of: .fp64)
        } catch {
            diagnostics.error(error.message, at: tensor.position(of: "dims"), "\(path).dims")
        }
        return shape
    }

    private mutating func checkFormat(
        _ tensor: ConfigurationMessage, _ shape: TensorShape, name: String, _ path: String
    ) {
        let format = tensor.string("format")
        guard format == "FORMAT_NHWC" || format == "FORMAT_NCHW", shape.rank != 3 else { return }
        diagnostics.error(
            "model input NHWC/NCHW require 3 dims for \(modelName)",
            at: tensor.position(of: "format"), "\(path).format",
            hint: "input '\(name)' is \(format) and has \(shape.rank)")
    }

    private mutating func checkLabels(_ tensor: ConfigurationMessage, name: String, _ path: String) {
        let file = tensor.string("label_filename")
        let components = file.split(separator: "/", omittingEmptySubsequences: false)
        guard components.contains("..") || file.hasPrefix("/") || file.contains("\0") else { return }
        diagnostics.error(
            "label file path '\(file)' for output '\(name)' in model '\(modelName)' is outside model directory",
            at: tensor.position(of: "label_filename"), "\(path).label_filename")
    }

    // MARK: Dynamic batching

    private mutating func dynamicBatching(_ message: ConfigurationMessage, maxBatchSize: Int) -> DynamicBatching {
        let path = "dynamic_batching"
        var batching = DynamicBatching()
        batching.preferredBatchSizes = preferredSizes(message, maxBatchSize: maxBatchSize)
        batching.maxQueueDelayMicroseconds = message.unsigned("max_queue_delay_microseconds")
        batching.preserveOrdering = message.bool("preserve_ordering")
        let levels = message.unsigned("priority_levels")
        if levels > UInt64(DynamicBatching.maximumPriorityLevels) {
            diagnostics.error(
                "at most \(DynamicBatching.maximumPriorityLevels) priority levels are possible for \(modelName), got "
                    + "\(levels)", at: message.position(of: "priority_levels"), "\(path).priority_levels")
        }
        batching.priorityLevels = min(Int(clamping: levels), DynamicBatching.maximumPriorityLevels)
        batching.defaultPriorityLevel = Int(clamping: message.unsigned("default_priority_level"))
        if levels > 0, !(1...max(1, levels)).contains(message.unsigned("default_priority_level")) {
            diagnostics.error(
                "default priority level must be in range [1, \(levels)] for \(modelName)",
                at: message.position(of: "default_priority_level"), "\(path).default_priority_level",
                hint: "got \(message.unsigned("default_priority_level"))")
        }
        if batching.preserveOrdering, levels > 1 {
            diagnostics.error(
                "Only one priority level is allowed when 'preserve_ordering' is true for \(modelName)",
                at: message.position(of: "preserve_ordering"), "\(path).preserve_ordering")
        }
        if let policy = message.message("default_queue_policy") { batching.defaultQueuePolicy = queuePolicy(policy) }
        for (index, node) in message.nodes("priority_queue_policy").enumerated() {
            guard case .message(let policy) = node.value else { continue }
            let level = UInt64(node.key) ?? 0
            if level < 1 || level > levels {
                diagnostics.error(
                    "priority queue policy must have priority level in range [1, \(levels)] for \(modelName)",
                    at: node.position, "\(path).priority_queue_policy[\(index)]", hint: "got \(level)")
            }
            batching.priorityQueuePolicies[Int(clamping: level)] = queuePolicy(policy)
        }
        let policies = [batching.defaultQueuePolicy] + batching.priorityQueuePolicies.values
        if batching.preserveOrdering,
            policies.contains(where: { $0.defaultTimeoutMicroseconds > 0 && $0.timeoutAction == .delay })
        {
            diagnostics.error(
                "Queue policy can not have DELAY as timeout action when 'preserve_ordering' is true for \(modelName)",
                at: message.position(of: "preserve_ordering"), "\(path).preserve_ordering",
                hint: "what is delayed would be answered late")
        }
        warnOfBatches(message, batching, maxBatchSize: maxBatchSize)
        return batching
    }

    private mutating func preferredSizes(_ message: ConfigurationMessage, maxBatchSize: Int) -> [Int] {
        message.nodes("preferred_batch_size").enumerated().map { index, node in
            let size = node.value.integer
            let path = "dynamic_batching.preferred_batch_size[\(index)]"
            if size <= 0 {
                diagnostics.error(
                    "dynamic batching preferred size must be positive for \(modelName)", at: node.position, path)
            } else if size > Int64(maxBatchSize), maxBatchSize > 0 {
                diagnostics.error(
                    "dynamic batching preferred size must be <= max batch size for \(modelName)", at: node.position,
                    path,
                    hint: "max_batch_size is \(maxBatchSize)")
            }
            return Int(clamping: size)
        }
    }

    private func queuePolicy(_ message: ConfigurationMessage) -> QueuePolicy {
        QueuePolicy(
            timeoutAction: QueuePolicy.TimeoutAction(rawValue: message.string("timeout_action")) ?? .reject,
            defaultTimeoutMicroseconds: message.unsigned("default_timeout_microseconds"),
            allowTimeoutOverride: message.bool("allow_timeout_override"),
            maxQueueSize: Int(clamping: message.unsigned("max_queue_size")))
    }

    private mutating func warnOfBatches(
        _ message: ConfigurationMessage, _ batching: DynamicBatching, maxBatchSize: Int
    ) {
        let limit = batching.defaultQueuePolicy.maxQueueSize
        let smallest = batching.preferredBatchSizes.min() ?? maxBatchSize
        if limit > 0, limit < smallest {
            diagnostics.warning(
                "max_queue_size \(limit) is less than a batch of \(smallest): requests of one item can never fill it",
                at: message.position(of: "default_queue_policy"), "dynamic_batching.default_queue_policy.max_queue_size"
            )
        }
    }
}
