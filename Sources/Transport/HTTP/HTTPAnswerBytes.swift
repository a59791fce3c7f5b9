internal import NIOCore
internal import NIOHTTP1
internal import Tensors

/// Answers as the bytes that go over a connection (RFC 9112, sections 4 to 7).
struct HTTPAnswerBytes {
    private let allocator: ByteBufferAllocator

    init(_ allocator: ByteBufferAllocator) { self.allocator = allocator }

    /// What a buffer of the transport can hold.
    static let maximumSize = Int(Int32.max) - headSize

    /// Bytes that a head has hardly ever more of.
    private static let headSize = 256

    static func tooLarge(_ answer: HTTPAnswer) -> HTTPConnectionError {
        HTTPConnectionError(
            .internalServerError,
            "the answer of \(answer.byteCount) bytes is over \(maximumSize), the most that is sent")
    }

    /// A whole answer: its head, and what of the body is not in the same memory.
    func whole(_ answer: HTTPAnswer, _ delivery: HTTPConnection.Delivery) -> (ByteBuffer, body: ByteBuffer?) {
        let count = answer.byteCount
        let hasBody = count > 0 && !delivery.isHead
        let isSeparate = answer.prepared != nil
        var bytes = allocator.buffer(capacity: Self.headSize + (hasBody && !isSeparate ? count : 0))
        begin(answer, delivery.version, &bytes)
        bytes.writeStaticString("Content-Length: ")
        bytes.writeDecimal(count)
        bytes.writeStaticString("\r\n")
        if !delivery.keepsAlive {
            bytes.writeStaticString("Connection: close\r\n")
        } else if !delivery.version.isModern {
            bytes.writeStaticString("Connection: keep-alive\r\n")
        }
        bytes.writeStaticString("\r\n")
        guard hasBody else { return (bytes, nil) }
        if isSeparate { return (bytes, answer.prepared) }
        answer.writeBody(to: &bytes)
        return (bytes, nil)
    }

    /// The head of an answer that comes in pieces.
    func head(_ answer: HTTPAnswer, _ delivery: HTTPConnection.Delivery) -> ByteBuffer {
        var bytes = allocator.buffer(capacity: Self.headSize)
        begin(answer, delivery.version, &bytes)
        if delivery.version.isModern { bytes.writeStaticString("Transfer-Encoding: chunked\r\n") }
        bytes.writeStaticString(
            delivery.keepsAlive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n")
        return bytes
    }

    /// A piece of an answer; one without bytes would be its end.
    func piece(_ piece: [UInt8], _ version: HTTPVersion) -> ByteBuffer {
        guard version.isModern, !piece.isEmpty else { return ByteBuffer(bytes: piece) }
        var bytes = allocator.buffer(capacity: piece.count + 20)
        bytes.writeString(String(piece.count, radix: 16))
        bytes.writeStaticString("\r\n")
        bytes.writeBytes(piece)
        bytes.writeStaticString("\r\n")
        return bytes
    }

    /// The end of an answer that came in pieces.
    static func end(_ version: HTTPVersion) -> ByteBuffer {
        version.isModern ? ByteBuffer(staticString: "0\r\n\r\n") : ByteBuffer()
    }

    /// An interim answer, which tells a client that it may go on.
    static func goOn(_ version: HTTPVersion) -> ByteBuffer {
        ByteBuffer(staticString: version.isModern ? "HTTP/1.1 100 Continue\r\n\r\n" : "HTTP/1.0 100 Continue\r\n\r\n")
    }

    private func begin(_ answer: HTTPAnswer, _ version: HTTPVersion, _ bytes: inout ByteBuffer) {
        if answer.status == .ok, version.isModern {
            bytes.writeStaticString("HTTP/1.1 200 OK\r\n")
        } else {
            bytes.writeStaticString(version.isModern ? "HTTP/1.1 " : "HTTP/1.0 ")
            bytes.writeDecimal(Int(answer.status.code))
            bytes.writeStaticString(" ")
            bytes.writeString(answer.status.reasonPhrase)
            bytes.writeStaticString("\r\n")
        }
        bytes.writeStaticString("Content-Type: ")
        bytes.writeString(answer.contentType)
        bytes.writeStaticString("\r\n")
        for header in answer.headers {
            bytes.writeString(header.name)
            bytes.writeStaticString(": ")
            bytes.writeString(header.value)
            bytes.writeStaticString("\r\n")
        }
    }
}

extension ByteBuffer {
    fileprivate mutating func writeDecimal(_ number: Int) {
        // As text it is short enough to be no memory of its own.
        writeString(String(number))
    }
}
