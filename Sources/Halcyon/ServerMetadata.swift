/// Who the server says it is.
public struct ServerMetadata: Hashable, Sendable {
    public var name: String
    public var version: String
    /// The extensions of the protocol that it has, by the reference's names.
    public var extensions: [String]

    public init(name: String, version: String, extensions: [String]) {
        self.name = name
        self.version = version
        self.extensions = extensions
    }
}
