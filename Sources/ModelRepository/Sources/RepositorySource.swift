public import Tensors

/// Where a model repository comes from that is no folder of this machine: a store on the network, for instance.
///
/// A source fills a folder, from which the models are read as from any other repository. The server asks it to do so
/// before it loads models at start, before each look where it polls, and before it loads a model that somebody names.
public protocol RepositorySource: Sendable {
    /// The folder that is filled, an absolute path. It is there, and may be empty, before ``update(_:)`` is called.
    var folder: String { get }

    /// Has the folder hold what the source has now. Files that have not changed should stay as they are: a version of a
    /// model whose files are the same is not made anew. A file should be put in place whole.
    ///
    /// Calls for different models may come at the same time. When the server no longer wants the result the task is
    /// cancelled, and this should return soon.
    ///
    /// - Throws: why the folder does not hold what it should; the server keeps what it serves.
    func update(_ scope: RepositoryScope) async throws(HalcyonError)
}

/// What of a repository is to be brought up to date.
public enum RepositoryScope: Hashable, Sendable {
    /// A folder for each model, whatever is in it: what the index of models shows before they are loaded.
    case names
    /// All models.
    case everything
    /// One model; nothing where there is none of that name.
    case model(String)
}
