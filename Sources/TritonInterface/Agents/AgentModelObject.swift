internal import CTriton
internal import Logging
internal import ModelConfigurations
internal import ModelRepository
internal import Tensors
internal import Threads

/// A model as one of its repository agents knows it.
package final class AgentModelObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .agentModel }

    /// How far the model has come.
    enum Stage: Sendable {
        case made, loading, loaded, failed, unloading, gone
    }

    private struct State: @unchecked Sendable {
        var own: OpaquePointer?
        var stage = Stage.made
        var location: CText
        var path: String
        /// Handed out, and in use until the model goes.
        var formerLocations: [CText] = []
        var acquired: (folder: PrivateRepository, path: String, text: CText)?
        /// What the agent keeps here.
        var state: UnsafeMutableRawPointer?
    }

    private let holder: AgentHolder
    let configuration: ModelConfiguration
    let parameters: [(name: CText, value: CText)]
    private let state: Locked<State>

    /// - Throws: what the agent says when it gets to know the model.
    init(
        _ holder: AgentHolder, _ configuration: ModelConfiguration, _ parameters: [String: String], at path: String
    ) throws(HalcyonError) {
        self.holder = holder
        self.configuration = configuration
        self.parameters = parameters.sorted { $0.key < $1.key }.map { (CText($0.key), CText($0.value)) }
        state = Locked(State(location: CText(path), path: path))
        super.init()
        let handle = try Handles.give(self)
        state.withLock { $0.own = handle }
        do throws(HalcyonError) {
            if let initialize = agent.library.modelInitialize {
                try ErrorObject.check(initialize(agent.handle, handle))
            }
        } catch {
            release()
            throw said(error)
        }
    }

    var agent: AgentObject { holder.agent }
    var path: String { state.withLock { $0.path } }
    var location: UnsafePointer<CChar> { state.withLock { $0.location.pointer } }
    var stage: Stage { state.withLock { $0.stage } }

    var pointer: UnsafeMutableRawPointer? {
        get { state.withLock { $0.state } }
        set { state.withLock { $0.state = newValue } }
    }

    /// Has the agent do its part.
    ///
    /// - Throws: what it says.
    func act(_ action: TRITONREPOAGENT_ActionType, now stage: Stage) throws(HalcyonError) {
        let handle = state.withLock { state in
            state.stage = stage
            return state.own
        }
        do throws(HalcyonError) {
            try ErrorObject.check(agent.library.modelAction(agent.handle, handle, action))
        } catch {
            throw said(error)
        }
    }

    /// Nobody asks it any more.
    func end() {
        do throws(HalcyonError) {
            if let finalize = agent.library.modelFinalize {
                try ErrorObject.check(finalize(agent.handle, state.withLock { $0.own }))
            }
        } catch {
            InterfaceLog.logger?.error(
                "repository agent", metadata: ["model": "\(configuration.name)", "error": "\(said(error))"])
        }
        release()
    }

    /// Gives up its pointer, and removes the folder that the agent has asked for.
    private func release() {
        let (handle, acquired) = state.withLock { state in
            defer { (state.own, state.acquired, state.stage) = (nil, nil, .gone) }
            return (state.own, state.acquired)
        }
        withExtendedLifetime(acquired) {}
        _ = try? Handles.take(handle, as: AgentModelObject.self, "model")
    }

    private func said(_ error: HalcyonError) -> HalcyonError { error.prefixed("repository agent '\(agent.name)': ") }

    // MARK: Places

    /// - Throws: `invalidArgument` outside of a load.
    func move(to path: String) throws(HalcyonError) {
        try state.withLock { state throws(HalcyonError) in
            guard state.stage == .loading else {
                throw HalcyonError(
                    .invalidArgument,
                    "location can only be updated during TRITONREPOAGENT_ACTION_LOAD, and the model is "
                        + "\(state.stage)")
            }
            guard path.hasPrefix("/") else {
                throw HalcyonError(
                    .invalidArgument, "a model's location is an absolute path, got '\(path)'")
            }
            state.formerLocations.append(state.location)
            (state.path, state.location) = (path, CText(path))
        }
    }

    /// An empty folder that is the agent's to fill, the same each time.
    func acquire() throws(HalcyonError) -> UnsafePointer<CChar> {
        if let known = state.withLock({ $0.acquired?.text }) { return known.pointer }
        let folder = try PrivateRepository(emptyModel: configuration.name)
        let path = "\(folder.path)/\(configuration.name)"
        let text = CText(path)
        return state.withLock { state in
            let acquired = state.acquired ?? (folder, path, text)
            state.acquired = acquired
            return acquired.text.pointer
        }
    }

    /// Removes the folder that was asked for.
    ///
    /// - Throws: `unavailable` where there is none; `invalidArgument` for another.
    func giveBack(_ path: String) throws(HalcyonError) {
        let acquired = try state.withLock { state throws(HalcyonError) in
            guard let acquired = state.acquired else {
                throw HalcyonError(.unavailable, "No mutable location to be deleted")
            }
            guard acquired.path == path else {
                throw HalcyonError(
                    .invalidArgument, "'\(path)' was not acquired: '\(acquired.path)' was")
            }
            defer { state.acquired = nil }
            // The agent may still look at the text.
            state.formerLocations.append(acquired.text)
            return acquired
        }
        withExtendedLifetime(acquired) {}
    }
}
