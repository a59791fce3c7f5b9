/// The share of the processor that the instances of one model version have together.
public struct CPUPlan: Hashable, Sendable {
    /// Instances that the configuration asks for.
    public var instances: Int
    /// Executions that run side by side: as many as instances, but never more than cores.
    public var streams: Int
    /// Threads that all streams have together; at least `streams`.
    public var threads: Int

    /// A share of the processor, as `CPUBudget.plan(instances:combinesRequests:)` gives out.
    public init(instances: Int, streams: Int, threads: Int) {
        self.instances = instances
        self.streams = streams
        self.threads = threads
    }

    /// Threads of one stream.
    public var threadsPerStream: Int { max(1, threads / max(1, streams)) }
}

extension CPUPlan: CustomStringConvertible {
    /// The plan in a sentence, for the log.
    public var description: String {
        "\(instances) instance\(instances == 1 ? "" : "s") on \(threads) core\(threads == 1 ? "" : "s"): "
            + "\(streams) stream\(streams == 1 ? "" : "s") of \(threadsPerStream) "
            + "thread\(threadsPerStream == 1 ? "" : "s")"
    }
}
