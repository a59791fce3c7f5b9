import NIOCore
import NIOHTTP1
import Tensors
import Testing

@testable import Transport

@Suite("Bytes of an HTTP answer")
struct HTTPAnswerBytesTests {
    private let bytes = HTTPAnswerBytes(ByteBufferAllocator())

    private func delivery(
        _ version: HTTPVersion = .http1_1, isHead: Bool = false, keepsAlive: Bool = true
    ) -> HTTPConnection.Delivery { .init(version: version, isHead: isHead, keepsAlive: keepsAlive) }

    private var answer: HTTPAnswer {
        var answer = HTTPAnswer(
            status: .ok, contentType: "text/plain", head: Array("some ".utf8),
            tail: [TensorBuffer(copying: Array("text".utf8))])
        answer.headers = [("X", "y")]
        return answer
    }

    private func whole(_ answer: HTTPAnswer, _ delivery: HTTPConnection.Delivery) -> String {
        let (head, body) = bytes.whole(answer, delivery)
        return String(buffer: head) + (body.map { String(buffer: $0) } ?? "")
    }

    @Test("A whole answer, with a body that is prepared or not")
    func whole() {
        let text = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX: y\r\nContent-Length: 9\r\n\r\nsome text"
        #expect(whole(answer, delivery()) == text)
        var prepared = answer
        prepared.prepare()
        #expect(whole(prepared, delivery()) == text)
    }

    @Test("What a client has to know of the connection")
    func connection() {
        #expect(whole(answer, delivery(keepsAlive: false)).contains("\r\nConnection: close\r\n\r\n"))
        let old = whole(answer, delivery(.http1_0))
        #expect(old.hasPrefix("HTTP/1.0 200 OK\r\n"))
        #expect(old.contains("\r\nConnection: keep-alive\r\n\r\n"))
    }

    @Test("HEAD gets the length of what GET would have got")
    func head() {
        let text = whole(answer, delivery(isHead: true))
        #expect(text.hasSuffix("Content-Length: 9\r\n\r\n"))
    }

    @Test("Other statuses have their names")
    func status() {
        let text = whole(HTTPAnswer(status: .payloadTooLarge), delivery())
        #expect(text.hasPrefix("HTTP/1.1 413 Payload Too Large\r\n"))
        #expect(text.hasSuffix("Content-Length: 0\r\n\r\n"))
    }

    @Test("An answer in pieces comes in chunks, which HTTP/1.0 does not know")
    func pieces() {
        let head = String(buffer: bytes.head(answer, delivery()))
        #expect(head.hasSuffix("X: y\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"))
        let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 17)
        #expect(String(buffer: bytes.piece(piece, .http1_1)) == "11\r\n\(String(repeating: "a", count: 17))\r\n")
        #expect(String(buffer: HTTPAnswerBytes.end(.http1_1)) == "0\r\n\r\n")
        let old = String(buffer: bytes.head(answer, delivery(.http1_0, keepsAlive: false)))
        #expect(old.hasSuffix("X: y\r\nConnection: close\r\n\r\n"))
        #expect(String(buffer: bytes.piece(piece, .http1_0)) == String(repeating: "a", count: 17))
        #expect(HTTPAnswerBytes.end(.http1_0).readableBytes == 0)
        // An empty piece is not the end.
        #expect(bytes.piece([], .http1_1).readableBytes == 0)
    }
}
