package import ModelConfigurations
package import Tensors

/// Who runs the repository agents that models name: programs that look at a model's files, or change them, before it is
/// loaded.
package protocol RepositoryAgents: Sendable {
    /// Has the agents of a model's configuration do their part of a load, one after the other.
    ///
    /// - Parameters:
    ///   - configuration: with at least one agent.
    ///   - location: the model's folder.
    /// - Returns: what is told how the load went on.
    /// - Throws: what an agent says, or why there is none; those that had been asked know that the load has failed.
    func load(
        _ configuration: ModelConfiguration, at location: String
    ) throws(HalcyonError) -> any RepositoryAgentLease
}

/// A model's agents, from the beginning of a load on. Where it goes before it was told that the load has succeeded,
/// they learn that it has failed.
package protocol RepositoryAgentLease: AnyObject, Sendable {
    /// Where the model lies now, by what the agents say.
    var location: String { get }

    /// The load has succeeded.
    func loaded()

    /// A version of the model goes out of service, or several at once: the first call counts.
    func unloading()

    /// The last of the model's versions is gone.
    func unloaded()
}
