/// How busy a GPU is, whoever uses it. A value that it does not tell is `nil`.
package struct GPUUsage: Hashable, Sendable {
    package var uuid: String
    /// The share of time in which it worked, from 0 to 1.
    package var utilization: Double?
    package var memoryTotalBytes: UInt64?
    package var memoryUsedBytes: UInt64?
    /// Watts.
    package var powerUsage: Double?
    /// Watts.
    package var powerLimit: Double?
    /// Joules since the first look.
    package var energy: Double?

    package init(uuid: String) { self.uuid = uuid }
}
