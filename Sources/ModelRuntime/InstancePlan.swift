package import ModelConfiguration
package import Tensors

/// Which instances a configuration's groups come to.
package enum InstancePlan {
    /// All instances, group by group. Groups have names by now.
    ///
    /// - Throws: `invalidArgument` for a group that wants a GPU, as this version runs on none.
    package static func instances(of configuration: ModelConfiguration) throws(HalcyonError) -> [InstanceIdentity] {
        var instances: [InstanceIdentity] = []
        for group in configuration.instanceGroups {
            guard group.kind != .gpu, group.gpus.isEmpty else {
                throw HalcyonError(
                    .invalidArgument,
                    "instance group \(group.name) of model \(configuration.name) has kind KIND_GPU but server does not "
                        + "support GPUs; write KIND_CPU, or KIND_AUTO for whatever there is")
            }
            for index in 0..<max(1, group.count) {
                instances.append(
                    InstanceIdentity(
                        name: group.count > 1 ? "\(group.name)_\(index)" : group.name,
                        kind: group.kind == .model ? .model : .cpu, index: instances.count))
            }
        }
        return instances
    }
}
