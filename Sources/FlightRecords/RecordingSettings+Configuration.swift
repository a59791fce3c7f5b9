package import ModelConfigurations

extension Recording.Settings {
    /// - Parameter configuration: complete and checked.
    package init(_ configuration: ModelConfiguration) {
        self.init()
        maxBatchSize = configuration.maxBatchSize
        if let batching = configuration.dynamicBatching {
            isDynamic = true
            preferredBatchSizes = batching.preferredBatchSizes
            maxQueueDelayMicroseconds = batching.maxQueueDelayMicroseconds
            preservesOrdering = batching.preserveOrdering
            priorityLevels = batching.priorityLevels
            defaultPriorityLevel = batching.defaultPriorityLevel
            latencyBudgetMicroseconds =
                configuration.parameters[ServerParameter.latencyBudget.rawValue].flatMap(UInt64.init) ?? 0
        }
        formsEagerly = configuration.optimization.eagerBatching
        if configuration.ensemble != nil {
            otherScheduler = "ensemble"
        } else if configuration.sequenceBatching != nil {
            otherScheduler = "sequence"
        } else if configuration.isDecoupled {
            otherScheduler = "decoupled"
        }
    }

    /// A configuration that schedules so.
    package func configuration(named name: String) -> ModelConfiguration {
        var configuration = ModelConfiguration(name: name)
        configuration.maxBatchSize = maxBatchSize
        configuration.optimization.eagerBatching = formsEagerly
        guard isDynamic else { return configuration }
        configuration.dynamicBatching = DynamicBatching(
            preferredBatchSizes: preferredBatchSizes, maxQueueDelayMicroseconds: maxQueueDelayMicroseconds,
            preserveOrdering: preservesOrdering, priorityLevels: priorityLevels,
            defaultPriorityLevel: defaultPriorityLevel)
        if latencyBudgetMicroseconds > 0 {
            configuration.parameters[ServerParameter.latencyBudget.rawValue] = String(latencyBudgetMicroseconds)
        }
        return configuration
    }
}
