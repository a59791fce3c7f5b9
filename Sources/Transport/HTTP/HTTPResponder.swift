package import NIOHTTP1
package import Tensors

/// Answers HTTP requests.
package protocol HTTPResponder: Sendable {
    /// Takes on a request; called on the connection's event loop. The answer may be given before or after this returns,
    /// from any thread, once.
    func respond(to request: HTTPRequest, reply: HTTPReply)

    /// Where the body of a request lies best that begins so; asked for large ones only, on the connection's event loop.
    func bodyMemory(for head: HTTPRequestHead) -> (any MemoryProvider)?

    /// What to answer where the connection itself must, before there is a request: the protocol's form of an error.
    func answer(for error: HTTPConnectionError) -> HTTPAnswer
}

extension HTTPResponder {
    /// By default no memory is better than another.
    package func bodyMemory(for head: HTTPRequestHead) -> (any MemoryProvider)? { nil }
}

/// What is wrong with what came over a connection.
package struct HTTPConnectionError: Error, Hashable, Sendable {
    package var status: HTTPResponseStatus
    package var message: String

    package init(_ status: HTTPResponseStatus, _ message: String) {
        self.status = status
        self.message = message
    }
}
