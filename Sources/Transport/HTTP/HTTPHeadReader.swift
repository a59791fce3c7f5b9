internal import NIOHTTP1

/// Reads the head of a request: its first line and its headers (RFC 9112, sections 3 and 5). Whatever two servers could
/// read in two ways is an error here, as one of them may stand before this one.
struct HTTPHeadReader {
    /// How the end of a request's body is told.
    enum Framing: Equatable {
        case length(Int)
        case chunked
        /// By a coding that is not known here.
        case unknown
    }

    /// Headers that a request may have.
    static let maximumFieldCount = 256

    private let text: UnsafeRawBufferPointer
    private var position = 0
    private var length: Int?
    private var codings = 0
    private var isChunked = false

    /// - Parameter text: lines that end in CR LF, of which the last is empty.
    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    mutating func read() throws(HTTPConnectionError) -> (head: HTTPRequestHead, framing: Framing) {
        let (method, target, version) = try requestLine(nextLine())
        var fields: [(String, String)] = []
        fields.reserveCapacity(8)
        while true {
            let line = nextLine()
            guard !line.isEmpty else { break }
            guard fields.count < Self.maximumFieldCount else {
                throw HTTPConnectionError(
                    .requestHeaderFieldsTooLarge, "the request has over \(Self.maximumFieldCount) headers")
            }
            fields.append(try field(line))
        }
        let head = HTTPRequestHead(version: version, method: method, uri: target, headers: HTTPHeaders(fields))
        return (head, try framing(version))
    }

    private mutating func nextLine() -> Range<Int> {
        let start = position
        while position < text.count, text[position] != UInt8(ascii: "\n") { position += 1 }
        let end = max(start, position - 1)
        position = min(position + 1, text.count)
        return start..<end
    }

    // MARK: The first line

    private func requestLine(
        _ line: Range<Int>
    ) throws(HTTPConnectionError) -> (HTTPMethod, String, HTTPVersion) {
        guard let first = end(of: line, before: UInt8(ascii: " ")),
            let second = end(of: first + 1..<line.upperBound, before: UInt8(ascii: " "))
        else { throw Self.error("its first line is not METHOD TARGET HTTP/1.1") }
        let target = first + 1..<second
        guard !target.isEmpty, text[target].allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw Self.error("its target is empty, or has control characters")
        }
        return (
            try method(line.lowerBound..<first), string(target), try version(second + 1..<line.upperBound)
        )
    }

    private func method(_ name: Range<Int>) throws(HTTPConnectionError) -> HTTPMethod {
        if matches(name, "POST") { return .POST }
        if matches(name, "GET") { return .GET }
        let method = HTTPMethod(rawValue: string(name))
        if case .RAW = method { throw Self.error("there is no such method") }
        return method
    }

    private func version(_ name: Range<Int>) throws(HTTPConnectionError) -> HTTPVersion {
        if matches(name, "HTTP/1.1") { return .http1_1 }
        if matches(name, "HTTP/1.0") { return .http1_0 }
        throw Self.error("its version is neither HTTP/1.1 nor HTTP/1.0")
    }

    // MARK: Headers

    private mutating func field(_ line: Range<Int>) throws(HTTPConnectionError) -> (String, String) {
        guard let colon = end(of: line, before: UInt8(ascii: ":")), colon > line.lowerBound,
            text[line.lowerBound..<colon].allSatisfy(Self.isToken)
        else { throw Self.error("a header is not NAME: VALUE") }
        let name = line.lowerBound..<colon
        var value = colon + 1..<line.upperBound
        while let first = value.first, Self.isBlank(text[first]) { value = first + 1..<value.upperBound }
        while let last = value.last, Self.isBlank(text[last]) { value = value.lowerBound..<last }
        guard text[value].allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw Self.error("a header has control characters")
        }
        if resembles(name, "content-length") { try takeLength(value) }
        if resembles(name, "transfer-encoding") {
            codings += 1
            isChunked = resembles(value, "chunked")
        }
        return (string(name), string(value))
    }

    private mutating func takeLength(_ value: Range<Int>) throws(HTTPConnectionError) {
        guard length == nil else { throw Self.error("it has content-length twice") }
        // 18 digits are no overflow.
        guard (1...18).contains(value.count), text[value].allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }) else {
            throw Self.error("its content-length is no number")
        }
        length = text[value].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    }

    private func framing(_ version: HTTPVersion) throws(HTTPConnectionError) -> Framing {
        guard codings > 0 else { return .length(length ?? 0) }
        guard length == nil else { throw Self.error("it has both content-length and transfer-encoding") }
        guard version.isModern else { throw Self.error("HTTP/1.0 has no transfer-encoding") }
        return codings == 1 && isChunked ? .chunked : .unknown
    }

    /// The client's end, in the middle of a request.
    static let unfinished = error("the connection ended in the middle of a request")

    // MARK: Bytes

    static func error(_ what: String) -> HTTPConnectionError {
        HTTPConnectionError(.badRequest, "this is not HTTP: \(what)")
    }

    private func end(of range: Range<Int>, before byte: UInt8) -> Int? {
        var index = range.lowerBound
        while index < range.upperBound {
            if text[index] == byte { return index }
            index += 1
        }
        return nil
    }

    private func string(_ range: Range<Int>) -> String {
        String(decoding: UnsafeRawBufferPointer(rebasing: text[range]), as: UTF8.self)
    }

    private func matches(_ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        let word = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        return zip(text[range], word).allSatisfy { $0 == $1 }
    }

    /// Whether the text is a word that is given in small letters, whatever its own are.
    private func resembles(_ range: Range<Int>, _ word: StaticString) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        let word = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        return zip(text[range], word).allSatisfy { byte, expected in
            byte == expected || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) && byte | 0x20 == expected
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// What names are made of (RFC 9110, section 5.6.2).
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
            UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "^"), UInt8(ascii: "`"),
            UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
