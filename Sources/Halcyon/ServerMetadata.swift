/// Who the server says it is.
public struct ServerMetadata: Hashable, Sendable {
    /// The server's name: `halcyon`.
    public var name: String
    /// The server's version.
    public var version: String
    /// The extensions of the protocol that it has, by Triton's names.
    public var extensions: [String]

    /// What a server says of itself.
    public init(name: String, version: String, extensions: [String]) {
        self.name = name
        self.version = version
        self.extensions = extensions
    }
}
