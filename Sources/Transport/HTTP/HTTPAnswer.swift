package import NIOHTTP1
package import Tensors

/// A whole HTTP response.
package struct HTTPAnswer: Sendable {
    package var status: HTTPResponseStatus
    package var contentType: String
    /// Beside content type and length.
    package var headers: [(name: String, value: String)] = []
    /// The body's beginning.
    package var head: [UInt8]
    /// What follows, in order.
    package var tail: [Buffer] = []

    /// Whether it is compressed where the client takes that: clients of the protocol decompress inference responses, and
    /// nothing else.
    package var mayBeCompressed = false

    /// Called on the connection's event loop when the system has taken the last of the answer.
    package var whenSent: (@Sendable () -> Void)?

    package init(
        status: HTTPResponseStatus, contentType: String = "application/json", head: [UInt8] = [], tail: [Buffer] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.head = head
        self.tail = tail
    }

    package var byteCount: Int { tail.reduce(head.count) { $0 + $1.byteCount } }
}
