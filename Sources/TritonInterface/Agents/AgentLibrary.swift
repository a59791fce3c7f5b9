internal import CTriton
internal import Tensors

/// The shared library of a repository agent, with its entry points.
struct AgentLibrary: @unchecked Sendable {
    let path: String
    let initialize: TRITONREPOAGENT_AgentFn_t?
    let finalize: TRITONREPOAGENT_AgentFn_t?
    let modelInitialize: TRITONREPOAGENT_AgentModelFn_t?
    let modelFinalize: TRITONREPOAGENT_AgentModelFn_t?
    let modelAction: TRITONREPOAGENT_ModelActionFn_t

    /// - Throws: as ``InterfaceLibrary``; `invalidArgument` where it lacks the entry point that all must have.
    init(_ path: String) throws(HalcyonError) {
        self.path = path
        let library = try InterfaceLibrary(path, kind: "the repository agent")
        initialize = library.function("TRITONREPOAGENT_Initialize", as: TRITONREPOAGENT_AgentFn_t.self)
        finalize = library.function("TRITONREPOAGENT_Finalize", as: TRITONREPOAGENT_AgentFn_t.self)
        modelInitialize = library.function("TRITONREPOAGENT_ModelInitialize", as: TRITONREPOAGENT_AgentModelFn_t.self)
        modelFinalize = library.function("TRITONREPOAGENT_ModelFinalize", as: TRITONREPOAGENT_AgentModelFn_t.self)
        modelAction = try library.function(
            "TRITONREPOAGENT_ModelAction", as: TRITONREPOAGENT_ModelActionFn_t.self, of: "repository agent")
    }

    /// Where the library of an agent lies.
    ///
    /// - Throws: `invalidArgument` where it is not there, and for a name that would lead elsewhere.
    static func path(of name: String, in directory: String) throws(HalcyonError) -> String {
        guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
            throw HalcyonError(.invalidArgument, "a repository agent can't be called '\(name)'")
        }
        let file = "libtritonrepoagent_\(name).so"
        guard let path = InterfaceLibrary.path(of: name, file: file, in: [directory]) else {
            throw HalcyonError(
                .invalidArgument,
                "there is no repository agent '\(name)': '\(file)' was looked for in '\(directory)/\(name)'; the "
                    + "repository agent directory (--repoagent-directory) names the folder that its folder lies in")
        }
        return path
    }
}
