import MetricsExposition
import ModelRuntime
import Scheduling

extension MetricsRendererTests {
    /// A model version with two requests in one batch of three items, one request that failed in its batch, and one
    /// that was turned away.
    static func snapshot() throws -> MetricsSnapshot {
        let collector = StatisticsCollector(name: "simple", version: 1, wallClock: { 0 })
        collector.recordSuccess(
            batchSize: 3, reason: .instanceFree, arrivals: [1_000_000, 1_030_000],
            stages: StatisticsCollector.Stages(
                start: 1_050_000, inferenceStart: 1_060_000, inferenceEnd: 1_360_000, end: 1_362_000))
        collector.recordFailure(duration: 5, cause: .backend)
        collector.recordFailure(duration: 5, cause: .rejected(.queueFull))
        var gauges = ModelGauges(name: "simple", version: 1)
        gauges.pendingRequests = 4
        gauges.instances = 2
        gauges.busyInstances = 1
        gauges.loadNanoseconds = 1_250_000_000
        return MetricsSnapshot(
            statistics: [collector.snapshot()], gauges: [gauges],
            machine: MachineUsage(cpuUtilization: 0.25, memoryTotalBytes: 8_589_934_592, memoryUsedBytes: 4096))
    }
}
