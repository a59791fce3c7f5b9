/// One line of the repository's index.
public struct ModelIndexEntry: Hashable, Sendable {
    /// The model's name, that of its folder.
    public var name: String
    /// `nil` for a model of which no version was tried yet.
    public var version: Int64?
    /// `nil` for a model that nobody asked to load.
    public var state: ModelState?
    /// Why a version is not ready, or empty.
    public var reason: String

    /// A line of the index.
    public init(name: String, version: Int64? = nil, state: ModelState? = nil, reason: String = "") {
        self.name = name
        self.version = version
        self.state = state
        self.reason = reason
    }
}
