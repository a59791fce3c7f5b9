package import NIOCore
package import NIOHTTP1
package import Tensors

/// A whole HTTP request.
package struct HTTPRequest: Sendable {
    package var method: HTTPMethod
    /// The path and the query as they came.
    package var uri: String
    package var headers: HTTPHeaders
    /// As it came: see ``decoded()``.
    package var body: TensorBuffer
    /// How to take off the body's content coding; `nil` where it has none, or no more.
    package var coding: BodyCoding?
    /// When its first bytes came.
    package var receiveStart: NIODeadline
    /// The connection's event loop, on which the responder is called.
    package var eventLoop: any EventLoop

    /// The request with a body that is not compressed any more. Where ``coding`` says that it is, this takes as long as
    /// the body becomes large: it is no work for an event loop.
    package func decoded() throws(HTTPConnectionError) -> HTTPRequest {
        guard let coding else { return self }
        var request = self
        request.body = try coding.decode(body)
        request.coding = nil
        return request
    }

    /// The path without the query; also of a target that names the server (RFC 9112, section 3.2.2).
    package var path: Substring { Self.path(of: uri) }

    /// The same of any target.
    package static func path(of uri: String) -> Substring {
        // By bytes, of which none that is looked for can be a part of another character.
        var target = uri.utf8[...]
        if target.first != UInt8(ascii: "/"), let scheme = target.firstRange(of: "://".utf8) {
            target = target[scheme.upperBound...].drop { $0 != UInt8(ascii: "/") }
        }
        return Substring(target.prefix { $0 != UInt8(ascii: "?") })
    }
}
