package import Logging
package import ModelConfigurations
package import ModelRepository
package import Tensors
private import Threads

/// Repository agents in shared libraries: `<directory>/<name>/libtritonrepoagent_<name>.so`. One is set up with the
/// first model that names it, and taken apart with the last.
package final class TritonRepositoryAgents: RepositoryAgents {
    private struct Known {
        weak var holder: AgentHolder?
    }

    private let directory: String
    private let log: Logger
    private let known = Locked<[String: Known]>([:])
    /// Held while an agent is set up, which models that are loaded at the same time wait for.
    private let opening = Locked<Void>(())

    package init(directory: String, log: Logger) {
        self.directory = directory
        self.log = log
    }

    package func load(
        _ configuration: ModelConfiguration, at location: String
    ) throws(HalcyonError) -> any RepositoryAgentLease {
        InterfaceLog.set(log)
        return try AgentLease(configuration, at: location, log: log) { (name) throws(HalcyonError) in
            try agent(name)
        }
    }

    private func agent(_ name: String) throws(HalcyonError) -> AgentHolder {
        try opening.withLock { _ throws(HalcyonError) in
            if let holder = known.withLock({ $0[name]?.holder }) { return holder }
            let library = try AgentLibrary(try AgentLibrary.path(of: name, in: directory))
            let holder = try AgentObject.make(name, library)
            known.withLock { $0[name] = Known(holder: holder) }
            return holder
        }
    }
}
