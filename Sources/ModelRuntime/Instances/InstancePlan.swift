package import ModelConfigurations
internal import Scheduling
package import Tensors

/// Which instances a configuration's groups come to.
package enum InstancePlan {
    /// Instances that one model version may have over all of its groups: each has a thread of its own.
    package static let maximumCount = InstanceGroup.maximumCount

    /// All instances, group by group: `<group>_<index in the group>`, as in Triton.
    ///
    /// A group on GPUs has its number of instances on each of them, under the same names.
    ///
    /// - Parameters:
    ///   - configuration: complete, so its groups have names and kinds.
    ///   - placement: the GPUs that there are, by which the configuration was completed.
    ///   - policies: the server's host policies, by name.
    /// - Throws: `invalidArgument` for groups that want a GPU that does not exist, or which the engine can't use; for
    ///   more than ``maximumCount`` instances; and for two of the same name.
    package static func instances(
        of configuration: ModelConfiguration, placement: GPUPlacement = .none, policies: [String: HostPolicy] = [:]
    ) throws(HalcyonError) -> [InstanceIdentity] {
        try checkDevices(configuration, placement)
        var total = 0
        for group in configuration.instanceGroups {
            let (count, tooMany) = max(1, group.count).multipliedReportingOverflow(by: devices(of: group).count)
            let (sum, overflow) = total.addingReportingOverflow(tooMany ? .max : count)
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
                for device in devices(of: group) {
                    var identity = InstanceIdentity(
                        name: name, kind: group.kind == .auto ? .cpu : group.kind, gpu: device,
                        index: instances.count, group: position)
                    identity.hostPolicy = policies[policyName(of: identity, group)]
                    instances.append(identity)
                }
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

    /// Where a group's instances are: once each on its GPUs, or once on none.
    private static func devices(of group: InstanceGroup) -> [Int?] {
        group.kind == .gpu ? group.gpus.map(\.self) : [nil]
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

    private static func checkDevices(
        _ configuration: ModelConfiguration, _ placement: GPUPlacement
    ) throws(HalcyonError) {
        var complaints: [String] = []
        for group in configuration.instanceGroups {
            let subject = "instance group \(group.name) of model \(configuration.name) "
            if placement.kind(of: group) == .gpu {
                complaints += complaint(group, placement).map { [subject + $0] } ?? []
            } else if !group.gpus.isEmpty {
                let kind = group.kind == .model ? group.kind : .cpu
                let advice =
                    placement.numbers.isEmpty
                    ? "leave out gpus, as this server has none"
                    : "leave out gpus, or name GPUs that this server has: \(list(placement.numbers))"
                complaints.append(subject + "has kind \(kind.rawValue) but specifies one or more GPUs; \(advice)")
            }
        }
        guard complaints.isEmpty else { throw HalcyonError(.invalidArgument, complaints.joined(separator: "\n")) }
    }

    /// What is wrong with a group that is to be on GPUs.
    private static func complaint(_ group: InstanceGroup, _ placement: GPUPlacement) -> String? {
        let advice = "; write KIND_CPU, or KIND_AUTO for whatever there is"
        if placement.numbers.isEmpty { return "has kind KIND_GPU but server does not support GPUs\(advice)" }
        if placement.engine == .never {
            return "has kind KIND_GPU but its backend runs models on the processor only\(advice)"
        }
        if let twice = group.gpus.enumerated().first(where: { group.gpus[..<$0.offset].contains($0.element) }) {
            return "specifies gpu id \(twice.element) more than once"
        }
        guard let unknown = group.gpus.first(where: { !placement.numbers.contains($0) }) else { return nil }
        return
            "specifies invalid or unsupported gpu id \(unknown). GPUs with at least the minimum required CUDA compute "
            + "compatibility of \(placement.minimumComputeCapability) are: \(list(placement.numbers))"
    }

    private static func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ", ") }
}
