internal import CTriton
internal import Logging
internal import Tensors
internal import Threads

/// A repository agent that is set up, as long as a model uses it.
package final class AgentObject: TritonObject, @unchecked Sendable {
    package override class var kind: HandleKind { .agent }
    let name: String
    let library: AgentLibrary
    private struct State: @unchecked Sendable {
        var own: OpaquePointer?
        /// What the agent keeps here.
        var state: UnsafeMutableRawPointer?
    }
    private let state = Locked(State())

    private init(_ name: String, _ library: AgentLibrary) {
        self.name = name
        self.library = library
        super.init()
    }

    /// - Throws: what the agent says.
    static func make(_ name: String, _ library: AgentLibrary) throws(HalcyonError) -> AgentHolder {
        let object = AgentObject(name, library)
        let handle = try Handles.give(object)
        object.state.withLock { $0.own = handle }
        do throws(HalcyonError) {
            if let initialize = library.initialize { try ErrorObject.check(initialize(handle)) }
        } catch {
            _ = try? Handles.take(handle, as: AgentObject.self, "agent")
            throw error.prefixed("repository agent '\(name)' can't be set up: ")
        }
        return AgentHolder(object)
    }

    var handle: OpaquePointer? { state.withLock { $0.own } }

    var pointer: UnsafeMutableRawPointer? {
        get { state.withLock { $0.state } }
        set { state.withLock { $0.state = newValue } }
    }

    fileprivate func end() {
        let handle = self.handle
        do throws(HalcyonError) {
            if let finalize = library.finalize { try ErrorObject.check(finalize(handle)) }
        } catch {
            InterfaceLog.logger?.error(
                "a repository agent was taken apart with an error", metadata: ["agent": "\(name)", "error": "\(error)"])
        }
        _ = try? Handles.take(handle, as: AgentObject.self, "agent")
    }
}

/// What keeps an agent: its handle keeps the object, and so can't be what ends it.
final class AgentHolder: Sendable {
    let agent: AgentObject

    init(_ agent: AgentObject) { self.agent = agent }

    deinit { agent.end() }
}
