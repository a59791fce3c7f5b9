import NIOCore
import NIOHTTP1
import Testing

@testable import Transport

@Suite("HTTP request parser")
struct HTTPRequestParserTests {
    /// All parts of a text that comes in pieces; the pieces of a body are joined.
    private func parts(_ text: String, piece: Int = .max) throws -> [HTTPServerRequestPart] {
        var parser = HTTPRequestParser()
        var parts: [HTTPServerRequestPart] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: min(piece, max(1, bytes.count))) {
            parser.take(ByteBuffer(bytes: bytes[start..<min(bytes.count, start + min(piece, bytes.count))]))
            while let part = try parser.next() {
                if case .body(var more) = part, case .body(var body)? = parts.last {
                    body.writeBuffer(&more)
                    parts[parts.count - 1] = .body(body)
                } else {
                    parts.append(part)
                }
            }
        }
        return parts
    }

    private func head(
        _ method: HTTPMethod, _ uri: String, version: HTTPVersion = .http1_1, _ headers: [(String, String)]
    ) -> HTTPServerRequestPart {
        .head(HTTPRequestHead(version: version, method: method, uri: uri, headers: HTTPHeaders(headers)))
    }

    @Test("A request is the same in whatever pieces it comes", arguments: [1, 2, 3, 7, 64, Int.max])
    func pieces(piece: Int) throws {
        let text =
            "POST /a?b HTTP/1.1\r\nHost: x\r\ncontent-length: 4\r\nX:\t spaced out \t\r\n\r\nbody"
            + "GET /second HTTP/1.0\r\n\r\n"
        #expect(
            try parts(text, piece: piece) == [
                head(.POST, "/a?b", [("Host", "x"), ("content-length", "4"), ("X", "spaced out")]),
                .body(ByteBuffer(string: "body")), .end(nil), head(.GET, "/second", version: .http1_0, []), .end(nil),
            ])
    }

    @Test("Chunks are joined, and what they say beside their bytes is read over", arguments: [1, 5, Int.max])
    func chunks(piece: Int) throws {
        let text =
            "PUT / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3;name=value\r\nabc\r\n0A \r\n0123456789\r\n0\r\n"
            + "Trailer: x\r\n\r\nGET / HTTP/1.1\r\n\r\n"
        #expect(
            try parts(text, piece: piece) == [
                head(.PUT, "/", [("Transfer-Encoding", "Chunked")]), .body(ByteBuffer(string: "abc0123456789")),
                .end(nil), head(.GET, "/", []), .end(nil),
            ])
    }

    @Test("Empty lines before a request are read over", arguments: [1, Int.max])
    func emptyLines(piece: Int) throws {
        #expect(try parts("\r\n\r\nGET / HTTP/1.1\r\n\r\n", piece: piece) == [head(.GET, "/", []), .end(nil)])
    }

    @Test("A request without a body ends with its head")
    func noBody() throws {
        #expect(try parts("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n").count == 2)
    }

    @Test(
        "What is not HTTP, or could be read in two ways",
        arguments: [
            "nothing\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/0.9\r\n\r\n",
            "GET  HTTP/1.1\r\n\r\n",
            "GET / x HTTP/1.1\r\n\r\n", "get / HTTP/1.1\r\n\r\n", "NOTHING / HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}",
            "GET / HTTP/1.1\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\n\r\n", "GET /\u{1} HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\n folded\r\n\r\n", "GET / HTTP/1.1\r\nName : x\r\n\r\n", "GET / HTTP/1.1\r\n: x\r\n\r\n",
            "GET / HTTP/1.1\r\nname\r\n\r\n", "GET / HTTP/1.1\r\nx: a\u{0}b\r\n\r\n",
            "GET / HTTP/1.1\r\nx: a\rb\r\n\r\n",
            "GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", "GET / HTTP/1.1\r\nn\u{e4}me: x\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: \r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1,1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        ])
    func notHTTP(text: String) {
        #expect(throws: HTTPConnectionError.self) { try parts(text) }
        #expect(throws: HTTPConnectionError.self) { try parts(text, piece: 1) }
        do {
            _ = try parts(text)
        } catch {
            #expect((error as? HTTPConnectionError)?.status == .badRequest)
        }
    }

    @Test(
        "Chunks that are none",
        arguments: [
            "x\r\n", "\r\n", "1\r\nab\r\n", "1\r\na\n", "1\n", "FFFFFFFFFFFFFFFF\r\n", "-1\r\n",
            "1;" + String(repeating: "x", count: 5000) + "\r\n", "1" + String(repeating: " ", count: 5000),
            "0\r\n" + String(repeating: "a: b\r\n", count: 1000) + "\r\n",
        ])
    func badChunks(text: String) throws {
        let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(throws: HTTPConnectionError.self) { try parts(head + text) }
        #expect(throws: HTTPConnectionError.self) { try parts(head + text, piece: 1) }
    }

    @Test("An unknown coding is told of when the head has been seen")
    func unknownCoding() throws {
        for coding in ["gzip", "gzip, chunked", ""] {
            var parser = HTTPRequestParser()
            parser.take(ByteBuffer(string: "POST / HTTP/1.1\r\nTransfer-Encoding: \(coding)\r\n\r\n"))
            guard case .head = try parser.next() else { return #expect(Bool(false)) }
            #expect(throws: HTTPConnectionError.self) { try parser.next() }
        }
    }

    @Test("Long headers, many headers and long heads are refused, before they end")
    func limits() {
        let texts = [
            "GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 81 << 10),
            "GET /" + String(repeating: "a", count: 81 << 10),
            "GET / HTTP/1.1\r\n" + String(repeating: "X: \(String(repeating: "a", count: 70 << 10))\r\n", count: 16),
            "GET / HTTP/1.1\r\n" + String(repeating: "X: a\r\n", count: 257) + "\r\n",
        ]
        for text in texts {
            do {
                _ = try parts(text, piece: 4096)
                #expect(Bool(false))
            } catch {
                #expect((error as? HTTPConnectionError)?.status == .requestHeaderFieldsTooLarge)
            }
        }
        #expect(throws: Never.self) {
            try parts("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 79 << 10) + "\r\n\r\n", piece: 4096)
        }
    }

    @Test("After an error there is nothing but that error")
    func afterError() {
        var parser = HTTPRequestParser()
        parser.take(ByteBuffer(string: "nothing\r\n\r\n"))
        #expect(throws: HTTPConnectionError.self) { try parser.next() }
        parser.take(ByteBuffer(string: "GET / HTTP/1.1\r\n\r\n"))
        #expect(throws: HTTPConnectionError.self) { try parser.next() }
    }

    @Test("Whether a request has begun")
    func between() throws {
        var parser = HTTPRequestParser()
        #expect(parser.isBetweenRequests)
        parser.take(ByteBuffer(string: "POST / HTTP/1.1\r\n"))
        #expect(try parser.next() == nil)
        #expect(!parser.isBetweenRequests)
        parser.take(ByteBuffer(string: "Content-Length: 1\r\n\r\n"))
        _ = try parser.next()
        #expect(!parser.isBetweenRequests)
        parser.take(ByteBuffer(string: "a"))
        _ = try parser.next()
        #expect(try parser.next() == .end(nil))
        #expect(parser.isBetweenRequests)
    }
}
