/// What one served model version is doing at the moment; what it has done is in its statistics.
public struct ModelGauges: Hashable, Sendable {
    /// The model's name.
    public var name: String
    /// The version's number.
    public var version: Int64
    /// Labels for the metrics (`metric_tags`).
    public var tags: [String: String] = [:]
    /// Requests that wait and do not run yet.
    public var pendingRequests = 0
    /// Instances that the version has, all of its groups together.
    public var instances = 0
    /// Instances that execute a batch.
    public var busyInstances = 0
    /// ``loadTime`` in nanoseconds.
    package var loadNanoseconds: UInt64 = 0
    /// How long loading took, from opening the model to the end of its warm-up.
    public var loadTime: Duration { .nanoseconds(Int64(clamping: loadNanoseconds)) }
    /// The processes that have gone of a model that is isolated, by the cause.
    public var restarts: [String: UInt64] = [:]

    /// A version that does nothing.
    public init(name: String, version: Int64) {
        self.name = name
        self.version = version
    }
}
