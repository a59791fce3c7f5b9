/// How many of a resource there are that instances share (`instance_group.rate_limiter.resources`).
public struct RateLimitResource: Hashable, Sendable {
    /// The name that the models' configurations use.
    public var name: String
    /// Units that there are.
    public var count: Int
    /// The GPU that has them; `nil` for each device. It does not matter for a resource that is global.
    public var gpu: Int?

    /// Units of a resource on a device, or on each of them.
    public init(name: String, count: Int, gpu: Int? = nil) {
        self.name = name
        self.count = count
        self.gpu = gpu
    }
}
