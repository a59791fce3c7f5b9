internal import CTriton
internal import Logging
internal import ModelConfigurations
internal import ModelRepository
internal import Tensors
internal import Threads

/// The agents of one load of a model, in the order of its configuration. What they are told follows Triton: a load's
/// beginning and that of its end in this order, what comes of them in the other.
final class AgentLease: RepositoryAgentLease, @unchecked Sendable {
    private let models: [AgentModelObject]
    let location: String
    private let log: Logger
    private let stage = Locked(AgentModelObject.Stage.loading)

    /// Asks one after the other; each finds the model where the one before has left it.
    ///
    /// - Throws: what one of them says.
    init(
        _ configuration: ModelConfiguration, at path: String, log: Logger,
        agent: (String) throws(HalcyonError) -> AgentHolder
    ) throws(HalcyonError) {
        var models: [AgentModelObject] = []
        var location = path
        self.log = log
        do throws(HalcyonError) {
            for wanted in configuration.repositoryAgents {
                let model = try AgentModelObject(
                    try agent(wanted.name), configuration, wanted.parameters, at: location)
                models.append(model)
                try model.act(TRITONREPOAGENT_ACTION_LOAD, now: .loading)
                location = model.path
            }
        } catch {
            Self.tell(TRITONREPOAGENT_ACTION_LOAD_FAIL, now: .failed, models.reversed(), log)
            for model in models.reversed() { model.end() }
            throw error
        }
        self.models = models
        self.location = location
    }

    deinit {
        switch stage.withLock({ $0 }) {
        case .loading: Self.tell(TRITONREPOAGENT_ACTION_LOAD_FAIL, now: .failed, models.reversed(), log)
        case .loaded:
            Self.tell(TRITONREPOAGENT_ACTION_UNLOAD, now: .unloading, models, log)
            Self.tell(TRITONREPOAGENT_ACTION_UNLOAD_COMPLETE, now: .gone, models.reversed(), log)
        case .unloading:
            Self.tell(TRITONREPOAGENT_ACTION_UNLOAD_COMPLETE, now: .gone, models.reversed(), log)
        case .made, .failed, .gone: break
        }
        for model in models.reversed() { model.end() }
    }

    func loaded() { step(from: .loading, to: .loaded, TRITONREPOAGENT_ACTION_LOAD_COMPLETE, models.reversed()) }
    func unloading() { step(from: .loaded, to: .unloading, TRITONREPOAGENT_ACTION_UNLOAD, models) }
    func unloaded() { step(from: .unloading, to: .gone, TRITONREPOAGENT_ACTION_UNLOAD_COMPLETE, models.reversed()) }

    private func step(
        from: AgentModelObject.Stage, to next: AgentModelObject.Stage, _ action: TRITONREPOAGENT_ActionType,
        _ models: [AgentModelObject]
    ) {
        let isFirst = stage.withLock { stage in
            guard stage == from else { return false }
            stage = next
            return true
        }
        if isFirst { Self.tell(action, now: next, models, log) }
    }

    /// An error is no reason to do otherwise: what is told has happened.
    private static func tell(
        _ action: TRITONREPOAGENT_ActionType, now stage: AgentModelObject.Stage, _ models: [AgentModelObject],
        _ log: Logger
    ) {
        for model in models {
            do throws(HalcyonError) {
                try model.act(action, now: stage)
            } catch {
                log.error(
                    "repository agent", metadata: ["model": "\(model.configuration.name)", "error": "\(error)"])
            }
        }
    }
}
