package import CUDADriver
package import Halcyon
package import ModelRuntime
package import Transport
package import TritonInterface

/// What a page of metrics is made of.
package struct MetricsSnapshot: Sendable {
    /// In the order in which they are shown.
    package var statistics: [ModelStatistics]
    /// In the order in which they are shown.
    package var gauges: [ModelGauges]
    /// `nil` to leave the machine out.
    package var machine: MachineUsage?
    /// `nil` for a server without a cache.
    package var cache: CacheUsage?
    /// Empty to leave them out.
    package var gpus: [GPUUsage] = []
    /// `nil` to leave them out.
    package var connections: ConnectionCounters?
    /// The pool of page-locked memory; `nil` without a GPU that is in use.
    package var pinnedPool: MemoryPool.Usage?

    /// What backends and models have made themselves.
    package var custom: [CustomMetrics.Family] = []

    package init(statistics: [ModelStatistics], gauges: [ModelGauges], machine: MachineUsage? = nil) {
        self.statistics = statistics
        self.gauges = gauges
        self.machine = machine
    }

    /// What a server's models have done and are doing now.
    package init(of server: InferenceServer, machine: MachineUsage? = nil) {
        // Only a model's name can be wrong, and none is given.
        let statistics = (try? server.statistics())?.models ?? []
        self.init(statistics: statistics, gauges: server.gauges(), machine: machine)
        cache = server.cacheUsage
        pinnedPool = server.gpus.pinnedUsageOnGPUs
        custom = CustomMetrics.shared.families()
    }
}
