/// The settings of the gRPC port.
package struct GRPCOptions: Hashable, Sendable {
    /// Bytes of a message.
    package var maximumMessageSize = Int(Int32.max)
    /// Seconds that a message may take to come in.
    package var messageTimeout: Int64 = 60
    /// Responses of a stream to decoupled models that may be under way to the client.
    package var maximumPendingResponses = Int(Int32.max)
    /// Seconds that a client may take none of a call's responses.
    package var writeTimeout: Int64 = 60
    /// zlib's level for responses to clients that take gzip or deflate; 0 to compress nothing.
    package var compressionLevel: Int32 = 0
    /// Milliseconds of silence after which a connection is pinged.
    package var keepaliveTime: Int64 = 7_200_000
    /// Milliseconds that a ping may stay without an answer.
    package var keepaliveTimeout: Int64 = 20_000
    /// Whether connections without calls are pinged too.
    package var pingsWithoutCalls = false
    /// Pings of the server's own that may go out while it has nothing else to send; 0 for any number.
    package var maximumPingsWithoutData = 2
    /// Milliseconds that a client must let pass between two pings while the server sends nothing.
    package var minimumPingInterval: Int64 = 300_000
    /// Pings that may come sooner before the connection is ended; 0 for any number.
    package var maximumPingStrikes = 2
    /// Milliseconds after which a connection is told to go; 0 for never.
    package var maximumConnectionAge: Int64 = 0
    /// Milliseconds that its calls may take to finish then; 0 for as long as they need.
    package var connectionAgeGrace: Int64 = 0

    package init() {}
}
