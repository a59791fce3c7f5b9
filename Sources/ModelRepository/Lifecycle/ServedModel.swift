package import ModelConfiguration
package import ModelRuntime
internal import Synchronization

/// One loaded version of a model, with what is known of it beside its executor.
package final class ServedModel: Sendable {
    /// What tells it apart from the server's other models.
    let key: String
    /// An ensemble's, with the keys of their models.
    let steps: [EnsembleScheduling.Step]
    package let version: Int64
    /// Complete: as written, with what the model and the defaults add.
    package let configuration: ModelConfiguration
    /// The labels of the outputs that have a label file.
    package let labels: [String: [String]]
    private let loadNanoseconds: UInt64
    /// Where the model's files lie, if a request brought them: an engine may go on reading them.
    private let files: PrivateRepository?
    package let executor: any RequestExecutor
    package let isDecoupled: Bool
    /// Those who are about to hand a request to the executor.
    private let holders = Atomic<Int>(0)
    private let released = Signal()

    init(
        key: String, steps: [EnsembleScheduling.Step], labels: [String: [String]], loadNanoseconds: UInt64,
        files: PrivateRepository?, executor: any RequestExecutor
    ) {
        self.key = key
        self.steps = steps
        version = executor.version
        configuration = executor.configuration
        isDecoupled = configuration.isDecoupled
        self.labels = labels
        self.loadNanoseconds = loadNanoseconds
        self.files = files
        self.executor = executor
    }

    package var gauges: ModelGauges {
        let occupancy = executor.occupancy()
        var gauges = ModelGauges(name: configuration.name, version: version)
        gauges.tags = configuration.metricTags
        gauges.pendingRequests = occupancy.pendingRequests
        gauges.instances = executor.instanceCount
        gauges.busyInstances = occupancy.busyInstances
        gauges.loadNanoseconds = loadNanoseconds
        return gauges
    }

    /// Called under the manager's lock, so that a model that has been taken off the table gains no new holder.
    func hold() { holders.wrappingAdd(1, ordering: .relaxed) }

    func release() {
        if holders.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { released.notify() }
    }

    /// Waits for those who hold it, finishes what they enqueued, and ends the workers. It must be off the table.
    ///
    /// - Parameter deadline: nanoseconds of the clock; `nil` for no limit.
    /// - Returns: the requests that were dropped.
    func retire(deadline: UInt64?, clock: any SchedulingClock) -> Int {
        _ = released.wait(until: deadline, clock: clock) { self.holders.load(ordering: .acquiring) == 0 }
        return executor.stop(deadline: deadline)
    }
}
