package import ModelConfiguration
package import ModelRuntime
internal import Synchronization
internal import Tensors

/// One loaded version of a model, with what is known of it beside its executor.
package final class ServedModel: Sendable {
    /// What tells it apart from the server's other models.
    let key: String
    /// An ensemble's, with the keys of their models.
    let steps: [EnsembleScheduling.Step]
    package let version: Int64
    package let name: String
    /// A number that no other loaded version ever has.
    let generation = ServedModel.nextGeneration.wrappingAdd(1, ordering: .relaxed).oldValue
    /// Whether its answers depend on what it was asked before.
    let isStateful: Bool
    /// What it was made of; `nil` where it is to be made anew by every load.
    let identity: VersionIdentity?
    /// Of the last load that let it be: it chooses among the versions and changes none.
    private let versionPolicy: Locked<VersionPolicy>
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
    private static let nextGeneration = Atomic<UInt64>(1)
    /// What an ensemble's graph had to say of the models of its steps, when it was last asked, and which those were.
    private let graphCheck = Locked<(generations: [UInt64], complaint: String?)>(([], nil))

    init(
        key: String, steps: [EnsembleScheduling.Step], labels: [String: [String]], loadNanoseconds: UInt64,
        identity: VersionIdentity?, files: PrivateRepository?, executor: any RequestExecutor
    ) {
        self.key = key
        self.steps = steps
        version = executor.version
        name = executor.configuration.name
        versionPolicy = Locked(executor.configuration.versionPolicy)
        isDecoupled = executor.configuration.isDecoupled
        isStateful = executor.configuration.sequenceBatching != nil
        self.identity = identity
        self.labels = labels
        self.loadNanoseconds = loadNanoseconds
        self.files = files
        self.executor = executor
    }

    /// Complete: as written, with what the model and the defaults add.
    package var configuration: ModelConfiguration {
        var configuration = executor.configuration
        configuration.versionPolicy = versionPolicy.withLock { $0 }
        return configuration
    }

    /// A load has let it be, and says which versions there are now.
    func keep(versionPolicy policy: VersionPolicy) { versionPolicy.withLock { $0 = policy } }

    /// Why an ensemble's graph does not fit the models that its steps have now: they may have been loaded anew since it
    /// was; `nil` where it does, and for a model that is no ensemble.
    ///
    /// - Parameter models: those of the steps, in their order.
    func disagreement(with models: [ServedModel]) -> String? {
        guard let ensemble = executor.configuration.ensemble else { return nil }
        let generations = models.map(\.generation)
        return graphCheck.withLock { known in
            if known.generations == generations { return known.complaint }
            do throws(HalcyonError) {
                try EnsembleGraph.check(executor.configuration, ensemble, against: models.map(\.configuration))
                known = (generations, nil)
            } catch {
                known = (generations, error.message)
            }
            return known.complaint
        }
    }

    package var gauges: ModelGauges {
        let occupancy = executor.occupancy()
        var gauges = ModelGauges(name: name, version: version)
        gauges.tags = executor.configuration.metricTags
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
