/// How busy the whole machine is, whoever uses it.
public struct MachineUsage: Hashable, Sendable {
    /// The processors' share of time that they were not idle, from 0 to 1.
    public var cpuUtilization: Double
    public var memoryTotalBytes: UInt64
    /// What is not available to a new program without swapping.
    public var memoryUsedBytes: UInt64

    public init(cpuUtilization: Double, memoryTotalBytes: UInt64, memoryUsedBytes: UInt64) {
        self.cpuUtilization = cpuUtilization
        self.memoryTotalBytes = memoryTotalBytes
        self.memoryUsedBytes = memoryUsedBytes
    }
}
