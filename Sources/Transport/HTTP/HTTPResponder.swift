package import NIOHTTP1

/// Answers HTTP requests.
package protocol HTTPResponder: Sendable {
    /// Takes on a request; called on the connection's event loop. The answer may be given before or after this returns,
    /// from any thread, once.
    func respond(to request: HTTPRequest, reply: HTTPReply)

    /// What to answer where the connection itself must, before there is a request: the protocol's form of an error.
    func answer(for error: HTTPConnectionError) -> HTTPAnswer
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
