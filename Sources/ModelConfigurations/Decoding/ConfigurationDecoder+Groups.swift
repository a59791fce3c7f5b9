extension ConfigurationDecoder {
    mutating func instanceGroups(_ message: ConfigurationMessage) -> [InstanceGroup] {
        var groups: [InstanceGroup] = []
        for (index, node) in message.nodes("instance_group").enumerated() {
            guard case .message(let group) = node.value else { continue }
            let path = "instance_group[\(index)]"
            let name = group.string("name")
            if !name.isEmpty, groups.contains(where: { $0.name == name }) {
                diagnostics.error(
                    "instance group '\(name)' is specified more than once for \(modelName)",
                    at: group.position(of: "name"), "\(path).name",
                    hint: "instances are told apart by their group's name")
            }
            let count = group.integer("count")
            if count < 0 || count > Int64(InstanceGroup.maximumCount) {
                diagnostics.error(
                    "instance group count must be 1 to \(InstanceGroup.maximumCount) for \(modelName), got \(count)",
                    at: group.position(of: "count"), "\(path).count")
            }
            let kind = InstanceGroup.Kind(rawValue: group.string("kind")) ?? .auto
            let gpus = group.nodes("gpus").map(\.value.integer)
            if !gpus.isEmpty, kind != .gpu, kind != .auto {
                diagnostics.error(
                    "instance group \(name.isEmpty ? "\(modelName)_\(index)" : name) of model \(modelName) has kind "
                        + "\(kind.rawValue) but specifies one or more GPUs", at: group.position(of: "gpus"),
                    "\(path).gpus")
            }
            var decoded = InstanceGroup(
                name: name, kind: kind, count: Int(clamping: max(1, count)), gpus: gpus.map { Int(clamping: $0) })
            decoded.hostPolicy = group.string("host_policy")
            decoded.rateLimiter = group.message("rate_limiter").map { rateLimiter($0, "\(path).rate_limiter") }
            groups.append(decoded)
        }
        return groups
    }

    /// - Parameter field: which of the two lists.
    mutating func accelerators(_ message: ConfigurationMessage, _ field: String) -> [ExecutionAccelerator] {
        var accelerators: [ExecutionAccelerator] = []
        for (index, node) in message.nodes(field).enumerated() {
            guard case .message(let accelerator) = node.value else { continue }
            var decoded = ExecutionAccelerator(name: accelerator.string("name"))
            let path = "optimization.execution_accelerators.\(field)[\(index)].name"
            if decoded.name.isEmpty {
                diagnostics.error(
                    "an execution accelerator must specify 'name' for \(modelName)", at: node.position, path)
            } else if accelerators.contains(where: { $0.name == decoded.name }) {
                diagnostics.error(
                    "execution accelerator '\(decoded.name)' is specified more than once for \(modelName)",
                    at: accelerator.position(of: "name"), path)
            }
            for parameter in accelerator.nodes("parameters") {
                if case .string(let value) = parameter.value { decoded.parameters[parameter.key] = value }
            }
            accelerators.append(decoded)
        }
        return accelerators
    }

    private mutating func rateLimiter(_ message: ConfigurationMessage, _ path: String) -> ModelRateLimiter {
        var limiter = ModelRateLimiter(priority: Int(clamping: message.integer("priority")))
        for (index, node) in message.nodes("resources").enumerated() {
            guard case .message(let resource) = node.value else { continue }
            let decoded = ModelRateLimiter.Resource(
                name: resource.string("name"), isGlobal: resource.bool("global"),
                count: Int(clamping: resource.integer("count")))
            if decoded.name.isEmpty {
                diagnostics.error(
                    "a resource of the rate limiter must specify 'name' for \(modelName)", at: node.position,
                    "\(path).resources[\(index)].name")
            } else if limiter.resources.contains(where: { $0.name == decoded.name && $0.isGlobal == decoded.isGlobal })
            {
                diagnostics.error(
                    "resource '\(decoded.name)' is specified more than once for \(modelName)", at: node.position,
                    "\(path).resources[\(index)].name")
            }
            limiter.resources.append(decoded)
        }
        return limiter
    }
}
