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

    /// The path without the query; also of a target that names the server (RFC 9112, section 3.2.2).
    package var path: Substring {
        var target = uri[...]
        if target.first != "/", let scheme = target.firstRange(of: "://") {
            target = target[scheme.upperBound...].drop { $0 != "/" }
        }
        return target.prefix { $0 != "?" }
    }
}
