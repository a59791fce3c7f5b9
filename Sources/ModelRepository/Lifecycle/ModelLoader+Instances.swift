internal import ModelConfigurations
internal import ModelRuntime
internal import Tensors

extension ModelLoader {
    /// Other instances for a version that serves, ready to be set to work.
    struct Adjustment: Sendable {
        let model: ServedModel
        let executor: any AdjustableExecutor
        let change: InstanceChange
        fileprivate let groups: [InstanceGroup]
        fileprivate let identity: VersionIdentity?

        /// Sets them to work; what serves already goes on.
        func apply() throws(HalcyonError) {
            try executor.apply(change)
            model.adjusted(to: groups, identity)
        }

        func discard() { change.discard() }
    }

    /// Makes the instances that a version lacks which serves, where nothing else of it has changed.
    ///
    /// - Returns: `nil` where its engine needs the whole version made again for that.
    /// - Throws: whatever is wrong with them.
    func adjust(_ served: ServedModel, to preparation: Preparation) throws(HalcyonError) -> Adjustment? {
        let definition = preparation.definition
        guard let executor = served.executor as? any AdjustableExecutor,
            let version = definition.versions.first(where: { $0.number == served.version }),
            let backend = backends[definition.engine.backendName]
        else { return nil }
        let placement = placement(of: backend)
        let configuration = try complete(
            definition, version, executor.model, placement, batches: executor.configuration.maxBatchSize > 0)
        try LoadChecks.check(
            configuration, directory: definition.directory, placement, followsLinks: repository.followsLinks)
        let instances = try InstancePlan.instances(of: configuration, placement: placement, policies: hostPolicies)
        warnOfPolicies(configuration)
        warnOfRates(configuration)
        guard executor.model.isPrepared(for: cpuPlan(configuration, instances)) else { return nil }
        let plan = WarmUpPlan(
            samples: try WarmUpItems.read(
                configuration, directory: definition.directory, followsLinks: repository.followsLinks),
            isAutomatic: try ServerParameter.automaticWarmUp.flag(of: configuration)
                ?? (warmsUp && executor.model.warmsUpOnZeros))
        guard let change = try executor.change(to: instances, configuration, warmUp: plan) else { return nil }
        return Adjustment(
            model: served, executor: executor, change: change, groups: configuration.instanceGroups,
            identity: preparation.identities[served.version] ?? nil)
    }
}
