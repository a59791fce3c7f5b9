/// What an instance needs before it may execute (`instance_group.rate_limiter`), and how often it gets its turn.
public struct ModelRateLimiter: Hashable, Sendable {
    /// Units of something that instances share, of any models.
    public struct Resource: Hashable, Sendable {
        /// Its name, which the server's stock and other models' limiters use too.
        public var name: String
        /// Whether there is one stock for the whole server, in place of one for each device.
        public var isGlobal: Bool
        /// Units that an execution holds.
        public var count: Int

        /// Units of a resource that an execution holds.
        public init(name: String, isGlobal: Bool = false, count: Int) {
            self.name = name
            self.isGlobal = isGlobal
            self.count = count
        }
    }

    /// What an execution holds, one entry a resource; empty for nothing.
    public var resources: [Resource]
    /// Of two instances that wait for the same resources, one with priority 2 gets half as many turns as one with 1.
    /// 0 is taken as 1.
    public var priority: Int

    /// A limiter without resources never holds an instance up.
    public init(resources: [Resource] = [], priority: Int = 0) {
        self.resources = resources
        self.priority = priority
    }
}
