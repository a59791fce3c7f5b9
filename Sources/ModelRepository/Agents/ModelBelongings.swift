internal import Synchronization

/// What a loaded version needs beside its executor, as long as it is there.
struct ModelBelongings: Sendable {
    /// Where its files lie, if a request brought them, or its agents have put them elsewhere: an engine may go on
    /// reading them.
    var files: PrivateRepository?
    /// All versions of a load have the same.
    var agents: AgentUse?
}

/// A model's agents, for the versions that were loaded with them.
final class AgentUse: Sendable {
    private let lease: any RepositoryAgentLease
    private let users = Atomic<Int>(0)

    init(_ lease: any RepositoryAgentLease) { self.lease = lease }

    func loaded() { lease.loaded() }

    /// Another version was made.
    func begin() { users.wrappingAdd(1, ordering: .relaxed) }

    /// A version is about to go.
    func willEnd() { lease.unloading() }

    /// A version is gone.
    func end() { if users.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { lease.unloaded() } }
}
