package import NIOCore
package import NIOHTTP1
package import Tensors

/// A whole HTTP request.
package struct HTTPRequest: Sendable {
    package var method: HTTPMethod
    /// The path and the query as they came.
    package var uri: String
    package var headers: HTTPHeaders
    package var body: Buffer
    /// When its first bytes came.
    package var receiveStart: NIODeadline
    /// The connection's event loop, on which the responder is called.
    package var eventLoop: any EventLoop

    /// The path without the query.
    package var path: Substring { uri.prefix(while: { $0 != "?" }) }
}
