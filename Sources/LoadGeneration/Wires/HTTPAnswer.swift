/// A response of HTTP/1.1.
struct HTTPAnswer: Hashable, Sendable {
    var status: Int
    /// All of it, or the beginning of an error's.
    var body: [UInt8]
    /// Whether the server takes another request on the connection.
    var keepsAlive: Bool
}
