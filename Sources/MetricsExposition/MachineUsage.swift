/// How busy the whole machine is, whoever uses it.
package struct MachineUsage: Hashable, Sendable {
    /// The processors' share of time that they were not idle, from 0 to 1.
    package var cpuUtilization: Double
    package var memoryTotalBytes: UInt64
    /// What is not available to a new program without swapping.
    package var memoryUsedBytes: UInt64

    package init(cpuUtilization: Double, memoryTotalBytes: UInt64, memoryUsedBytes: UInt64) {
        self.cpuUtilization = cpuUtilization
        self.memoryTotalBytes = memoryTotalBytes
        self.memoryUsedBytes = memoryUsedBytes
    }
}
