package import ModelConfiguration
internal import Scheduling
package import Tensors

/// Which instances a configuration's groups come to.
package enum InstancePlan {
    /// Instances that one model version may have over all of its groups: each has a thread of its own.
    package static let maximumCount = InstanceGroup.maximumCount

    /// All instances, group by group: `<group>_<index in the group>`, as in the reference.
    ///
    /// - Parameters:
    ///   - configuration: complete, so its groups have names and kinds.
    ///   - policies: the server's host policies, by name.
    /// - Throws: `invalidArgument` for groups that want a GPU, as this version runs on none; for more than
    ///   ``maximumCount`` instances; and for two of the same name.
    package static func instances(
        of configuration: ModelConfiguration, policies: [String: HostPolicy] = [:]
    ) throws(HalcyonError) -> [InstanceIdentity] {
        try checkDevices(configuration)
        var total = 0
        for group in configuration.instanceGroups {
            let (sum, overflow) = total.addingReportingOverflow(max(1, group.count))
            total = overflow ? .max : sum
        }
        guard total <= maximumCount else {
            throw HalcyonError(
                .invalidArgument,
                "the instance groups of model \(configuration.name) have more than \(maximumCount) instances")
        }
        var instances: [InstanceIdentity] = []
        var names: Set<String> = []
        for (position, group) in configuration.instanceGroups.enumerated() {
            for index in 0..<max(1, group.count) {
                let name = "\(group.name)_\(index)"
                guard names.insert(name).inserted else {
                    throw HalcyonError(
                        .invalidArgument,
                        "two instances of model \(configuration.name) are named '\(name)'; give the instance group "
                            + "\(group.name) another name")
                }
                var identity = InstanceIdentity(
                    name: name, kind: group.kind == .model ? .model : .cpu, index: instances.count, group: position)
                identity.hostPolicy = policies[policyName(of: identity, group)]
                instances.append(identity)
            }
        }
        return instances
    }

    /// The host policy that the group names, or that of the instance's kind.
    private static func policyName(of identity: InstanceIdentity, _ group: InstanceGroup) -> String {
        guard group.hostPolicy.isEmpty else { return group.hostPolicy }
        return switch identity.kind {
        case .gpu: "gpu_\(identity.gpu ?? 0)"
        case .model: "model"
        case .cpu, .auto: "cpu"
        }
    }

    /// What an instance shares with others, by its group's rate limiter; `nil` where it needs nothing.
    static func claim(
        of identity: InstanceIdentity, _ configuration: ModelConfiguration
    ) -> ResourceArbiter.Claim? {
        guard configuration.instanceGroups.indices.contains(identity.group),
            let limiter = configuration.instanceGroups[identity.group].rateLimiter
        else { return nil }
        let device: ResourceArbiter.Scope = identity.gpu.map { .gpu($0) } ?? .processor
        var needs: [ResourceArbiter.Key: Int] = [:]
        for resource in limiter.resources where resource.count > 0 {
            needs[ResourceArbiter.Key(name: resource.name, scope: resource.isGlobal ? .global : device)] =
                resource.count
        }
        return needs.isEmpty ? nil : ResourceArbiter.Claim(needs: needs, priority: limiter.priority)
    }

    private static func checkDevices(_ configuration: ModelConfiguration) throws(HalcyonError) {
        var complaints: [String] = []
        for group in configuration.instanceGroups {
            let subject = "instance group \(group.name) of model \(configuration.name) has kind "
            if group.kind == .gpu {
                complaints.append(
                    subject
                        + "KIND_GPU but server does not support GPUs; write KIND_CPU, or KIND_AUTO for whatever there "
                        + "is")
            } else if !group.gpus.isEmpty {
                let kind = group.kind == .model ? group.kind : .cpu
                complaints.append(
                    subject + "\(kind.rawValue) but specifies one or more GPUs; leave out gpus, as this server has none"
                )
            }
        }
        guard complaints.isEmpty else { throw HalcyonError(.invalidArgument, complaints.joined(separator: "\n")) }
    }
}
