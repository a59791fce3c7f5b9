/// The limits of a connection that speaks HTTP/1.
package struct HTTPConnectionOptions: Hashable, Sendable {
    /// Bytes of a body (`--http-max-input-size`).
    package var maximumBodySize = 64 << 20
    /// How long a connection may be silent between two requests, in seconds (`--http-idle-timeout-secs`).
    package var idleTimeout: Int64 = 120
    /// How long a request may take to come in, in seconds (`--http-body-timeout-secs`).
    package var bodyTimeout: Int64 = 60
    /// How long a client may take none of the answers that it has been given, in seconds (`--http-write-timeout-secs`).
    package var writeTimeout: Int64 = 60
    /// How long a connection without a request is kept when the server is about to go, in seconds: its client may be
    /// about to send one, and can't be told.
    package var farewell: Int64 = 2

    package init() {}
}
