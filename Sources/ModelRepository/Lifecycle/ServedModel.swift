package import ModelConfigurations
package import ModelRuntime
internal import Synchronization
internal import Tensors
internal import Threads

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
    /// What may change while it serves.
    private struct State {
        /// What it was made of; `nil` where it is to be made again by every load.
        var identity: VersionIdentity?
        /// Of the last load that let it be: it chooses among the versions and changes none.
        var versionPolicy: VersionPolicy
        var instanceGroups: [InstanceGroup]
    }

    private let state: Locked<State>
    /// The labels of the outputs that have a label file.
    package let labels: [String: [String]]
    private let loadNanoseconds: UInt64
    private let belongings: ModelBelongings
    /// Whether the agents know that it is gone.
    private let isGone = Atomic<Bool>(false)
    package let executor: any RequestExecutor
    package let isDecoupled: Bool
    /// Whether nothing reads a request's inputs any more once its answer is there.
    package let isDoneWhenAnswered: Bool
    /// 0 for a model that does not batch.
    package let maxBatchSize: Int
    package let inputs: [TensorConfiguration]
    /// As a step of an ensemble.
    let stepModel: EnsembleStepModel
    /// Those who are about to hand a request to the executor.
    private let holders = Atomic<Int>(0)
    private let released = Signal()
    private static let nextGeneration = Atomic<UInt64>(1)
    /// What an ensemble's graph had to say of the models of its steps, when it was last asked, and which those were.
    private let graphCheck = Locked<(generations: [UInt64], complaint: String?)>(([], nil))

    init(
        key: String, steps: [EnsembleScheduling.Step], labels: [String: [String]], loadNanoseconds: UInt64,
        identity: VersionIdentity?, belongings: ModelBelongings, executor: any RequestExecutor
    ) {
        self.key = key
        self.steps = steps
        version = executor.version
        name = executor.configuration.name
        state = Locked(
            State(
                identity: identity, versionPolicy: executor.configuration.versionPolicy,
                instanceGroups: executor.configuration.instanceGroups))
        stepModel = EnsembleStepModel(executor.configuration)
        isDecoupled = executor.configuration.isDecoupled
        maxBatchSize = executor.configuration.maxBatchSize
        inputs = executor.configuration.inputs
        isStateful = executor.configuration.sequenceBatching != nil
        isDoneWhenAnswered = Self.isDoneWhenAnswered(executor.configuration)
        self.labels = labels
        self.loadNanoseconds = loadNanoseconds
        self.belongings = belongings
        belongings.agents?.begin()
        self.executor = executor
    }

    /// Ensembles have steps that nobody waits for, sequences keep state, and other backends hold on to requests.
    private static func isDoneWhenAnswered(_ configuration: ModelConfiguration) -> Bool {
        !configuration.isDecoupled && configuration.ensemble == nil && configuration.sequenceBatching == nil
            && !configuration.usesResponseCache && ownEngines.contains(configuration.backend)
    }

    /// Those whose executions have ended when their answers are there.
    private static let ownEngines: Set<String> = ["openvino", "onnxruntime", "identity"]

    /// Where an ensemble's output comes from: the key and version of a step's model, and the model's output.
    func source(of output: String) -> (model: String, version: Int64?, output: String)? {
        for step in steps {
            if let own = step.outputMap.first(where: { $0.value == output }) {
                return (step.modelName, step.modelVersion, own.key)
            }
        }
        return nil
    }

    /// Complete: as written, with what the model and the defaults add.
    package var configuration: ModelConfiguration {
        var configuration = executor.configuration
        (configuration.versionPolicy, configuration.instanceGroups) = state.withLock {
            ($0.versionPolicy, $0.instanceGroups)
        }
        return configuration
    }

    /// What it was made of; `nil` where it is to be made again by every load.
    var identity: VersionIdentity? { state.withLock { $0.identity } }

    /// A load has let it be, and says which versions there are now.
    func keep(versionPolicy policy: VersionPolicy) { state.withLock { $0.versionPolicy = policy } }

    /// It has other instances now, and is as if made of `identity`.
    func adjusted(to groups: [InstanceGroup], _ identity: VersionIdentity?) {
        state.withLock { state in
            state.instanceGroups = groups
            state.identity = identity
        }
    }

    /// Why an ensemble's graph does not fit the models that its steps have now: they may have been loaded again since
    /// it was; `nil` where it does, and for a model that is no ensemble.
    ///
    /// - Parameter models: those of the steps, in their order.
    func disagreement(with models: [ServedModel]) -> String? {
        guard let ensemble = executor.configuration.ensemble else { return nil }
        let generations = models.map(\.generation)
        return graphCheck.withLock { known in
            if known.generations == generations { return known.complaint }
            do throws(HalcyonError) {
                try EnsembleGraph.check(executor.configuration, ensemble, against: models.map(\.configuration))
                known = (generations, changedStep(models))
            } catch {
                known = (generations, error.message)
            }
            return known.complaint
        }
    }

    /// What an ensemble was not made for: a step that gives any number of responses, or does not any more.
    private func changedStep(_ models: [ServedModel]) -> String? {
        guard let streams = (executor as? EnsembleExecutor)?.streams else { return nil }
        let changed = models.indices.first { models[$0].isDecoupled != streams.isDecoupled(step: $0) }
        return changed.map { step in
            "step \(step), model '\(models[step].name)', is "
                + "\(models[step].isDecoupled ? "decoupled now" : "no longer decoupled"): load the ensemble anew"
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
        if let model = (executor as? any AdjustableExecutor)?.model as? any WorkerModel {
            gauges.restarts = model.restarts
        }
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
    func stop(deadline: UInt64?, clock: any SchedulingClock) -> Int {
        belongings.agents?.willEnd()
        defer { if !isGone.exchange(true, ordering: .relaxed) { belongings.agents?.end() } }
        _ = released.wait(until: deadline, clock: clock) { self.holders.load(ordering: .acquiring) == 0 }
        return executor.stop(deadline: deadline)
    }
}
