internal import ModelConfigurations
internal import Tensors

extension ModelLoader {
    /// Has the agents that a model's configuration names do their part of its load.
    ///
    /// - Parameters:
    ///   - written: the model's configuration, before.
    ///   - key: by which the model is read from then on.
    ///   - repository: where it is read from.
    /// - Returns: `nil` for a model without agents.
    /// - Throws: what an agent says.
    func consultAgents(
        _ written: ModelRepositoryReader.WrittenModel, _ key: inout String,
        in repository: inout ModelRepositoryReader
    ) throws(HalcyonError) -> AgentUse? {
        guard !written.configuration.repositoryAgents.isEmpty else { return nil }
        let name = written.configuration.name
        guard let agents else {
            throw HalcyonError(
                .unsupported, "model '\(name)' names repository agents, and there is nobody here who runs them")
        }
        let lease = try agents.load(written.configuration, at: written.directory)
        if lease.location != written.directory {
            repository = try repository.reader(of: name, movedTo: lease.location)
            key = name
        }
        return AgentUse(lease)
    }
}
