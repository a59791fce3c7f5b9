/// Copies of a model that run side by side on the same kind of device (`instance_group`).
public struct InstanceGroup: Hashable, Sendable {
    /// Where the instances run.
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// On GPUs where there are some and the backend can use them, else on the processor.
        case auto = "KIND_AUTO"
        /// On GPUs.
        case gpu = "KIND_GPU"
        /// On the processor.
        case cpu = "KIND_CPU"
        /// Wherever the model itself chooses.
        case model = "KIND_MODEL"
    }

    /// Instances that one group may have: more would be a slip of the pen.
    public static let maximumCount = 1024

    /// The group's name; the engine names one that has none `<model>_<index of the group>`.
    public var name: String
    /// Where the instances run.
    public var kind: Kind
    /// Instances of the group (for a GPU group, on each of its GPUs); at least 1.
    public var count: Int
    /// The GPUs' numbers, each of which gets ``count`` instances; empty for all that the server uses.
    public var gpus: [Int]
    /// The name of the server's host policy that its instances have; empty for that of their kind.
    public var hostPolicy = ""
    /// Acted on where the server limits rates.
    public var rateLimiter: ModelRateLimiter?

    /// One instance where the model runs best, unless the arguments say otherwise.
    public init(name: String = "", kind: Kind = .auto, count: Int = 1, gpus: [Int] = []) {
        self.name = name
        self.kind = kind
        self.count = count
        self.gpus = gpus
    }
}
