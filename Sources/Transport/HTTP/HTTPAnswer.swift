internal import NIOCore
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
    package var tail: [TensorBuffer] = []

    /// Whether it is compressed where the client takes that: clients of the protocol decompress inference responses,
    /// and nothing else.
    package var mayBeCompressed = false

    /// Called on the connection's event loop when the system has taken the last of the answer.
    package var whenSent: (@Sendable () -> Void)?

    package init(
        status: HTTPResponseStatus, contentType: String = "application/json", head: [UInt8] = [],
        tail: [TensorBuffer] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.head = head
        self.tail = tail
    }

    /// The whole body in the transport's own memory, where ``prepare()`` has put it there.
    private(set) var prepared: ByteBuffer?

    package var byteCount: Int { prepared?.readableBytes ?? tail.reduce(head.count) { $0 + $1.byteCount } }

    /// Copies a long body to where the connection needs it, so that the event loop does not have to.
    package mutating func prepare() {
        guard prepared == nil, byteCount <= Int(Int32.max) else { return }
        var buffer = ByteBufferAllocator().buffer(capacity: byteCount)
        writeBody(to: &buffer)
        prepared = buffer
        head = []
        tail = []
    }

    /// Copies a body that is not prepared.
    func writeBody(to buffer: inout ByteBuffer) {
        buffer.writeBytes(head)
        for part in tail { part.withUnsafeBytes { _ = buffer.writeBytes($0) } }
    }
}
