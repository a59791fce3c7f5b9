/// Copies of a model that run side by side on the same kind of device (`instance_group`).
public struct InstanceGroup: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case auto = "KIND_AUTO"
        case gpu = "KIND_GPU"
        case cpu = "KIND_CPU"
        case model = "KIND_MODEL"
    }

    /// Instances that one group may have: more would be a slip of the pen.
    public static let maximumCount = 1024

    /// The group's name; the engine names one that has none `<model>_<index of the group>`.
    public var name: String
    public var kind: Kind
    /// Instances of the group (for a GPU group, on each of its GPUs); at least 1.
    public var count: Int
    public var gpus: [Int]
    /// The name of the server's host policy that its instances have; empty for that of their kind.
    public var hostPolicy = ""
    /// Acted on where the server limits rates.
    public var rateLimiter: RateLimiter?

    public init(name: String = "", kind: Kind = .auto, count: Int = 1, gpus: [Int] = []) {
        self.name = name
        self.kind = kind
        self.count = count
        self.gpus = gpus
    }
}
