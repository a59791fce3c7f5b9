package import Logging
package import ModelConfigurations
package import Tensors
package import Threads

extension ModelExecutor {
    /// What an executor is made of.
    package struct Parts {
        package var model: any BackendModel
        package var version: Int64
        /// Complete and checked.
        package var configuration: ModelConfiguration
        package var instances: [InstanceIdentity]
        package var clock: any SchedulingClock
        package var timer: DeadlineTimer
        package var log: Logger
        /// Where answers are kept, where the configuration wants that.
        package var cache: ResponseCache?
        /// What instances share, where the server limits rates.
        package var resources: ResourceGate?
        /// How long an execution may take before its instance is given up, in nanoseconds; 0 for as long as it takes.
        package var executionTimeout: UInt64 = 0
        /// What summaries of latencies show; empty for no summaries.
        package var summaryQuantiles: [SummaryQuantile] = []
        /// The last batches that are kept to be looked at; 0 for none.
        package var recordedBatches = 0
        /// Where memory that GPUs reach comes from; `nil` without GPUs.
        package var memory: (any MemoryProvider)?

        package init(
            model: any BackendModel, version: Int64, configuration: ModelConfiguration, instances: [InstanceIdentity],
            clock: any SchedulingClock, timer: DeadlineTimer, log: Logger
        ) {
            self.model = model
            self.version = version
            self.configuration = configuration
            self.instances = instances
            self.clock = clock
            self.timer = timer
            self.log = log
        }
    }
}
