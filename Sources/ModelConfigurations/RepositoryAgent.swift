/// A repository agent that a model names: a library of the server's, which looks at the model's files, or changes them,
/// before the model is loaded.
public struct RepositoryAgent: Hashable, Sendable {
    /// By which the library is found.
    public var name: String
    /// What it is told.
    public var parameters: [String: String]

    /// An agent of that name.
    public init(name: String, parameters: [String: String] = [:]) {
        self.name = name
        self.parameters = parameters
    }
}
