package import ModelConfigurations

extension ModelExecutor {
    /// What an executor is made of.
    package struct Parts {
        package var model: any BackendModel
        package var version: Int64
        /// Complete and checked.
        package var configuration: ModelConfiguration
        package var instances: [InstanceIdentity]
        /// The execution timeout in it is this model's.
        package var environment: ExecutionEnvironment

        package init(
            model: any BackendModel, version: Int64, configuration: ModelConfiguration, instances: [InstanceIdentity],
            environment: ExecutionEnvironment
        ) {
            self.model = model
            self.version = version
            self.configuration = configuration
            self.instances = instances
            self.environment = environment
        }
    }
}
