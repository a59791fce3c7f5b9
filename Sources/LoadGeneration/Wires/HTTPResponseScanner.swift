private import Glibc
internal import NIOCore
internal import Tensors

/// Finds the ends of responses in the bytes of a connection, and reads no more of them than it must.
struct HTTPResponseScanner {
    private struct Head {
        var status = 0
        var length: Int?
        var isChunked = false
        var keepsAlive = true
    }

    private enum State {
        case head
        /// Bytes of a body that are still to come.
        case body(Int)
        /// Before the size of a chunk.
        case size
        /// Bytes of a chunk, with the line's end behind it.
        case chunk(Int)
        /// Lines behind the last chunk.
        case trailers
    }

    /// Bytes of an error's text that are kept.
    private static let errorLimit = 4096
    private static let headLimit = 1 << 16

    private let keepsBodies: Bool
    private var state = State.head
    private var head = Head()
    private var body: [UInt8] = []

    /// - Parameter keepsBodies: whether also what was answered well is kept.
    init(keepsBodies: Bool) { self.keepsBodies = keepsBodies }

    /// The next whole response; `nil` where more bytes are needed.
    ///
    /// - Throws: `unavailable` for bytes that are no HTTP.
    mutating func next(_ buffer: inout ByteBuffer) throws(HalcyonError) -> HTTPAnswer? {
        while true {
            switch state {
            case .head:
                guard try readHead(&buffer) else { return nil }
                // Not the answer yet: 100 Continue, for instance.
                if head.status < 200 { continue }
                if head.isChunked {
                    state = .size
                } else if let length = head.length {
                    state = .body(length)
                } else {
                    guard head.status == 204 || head.status == 304 else {
                        throw HalcyonError(.unavailable, "the server's response has no length")
                    }
                    state = .body(0)
                }
            case .body(let left):
                let count = min(left, buffer.readableBytes)
                take(count, &buffer)
                guard count == left else {
                    state = .body(left - count)
                    return nil
                }
                return finish()
            case .size:
                guard let line = Self.line(&buffer) else { return nil }
                let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
                guard let size = Int(String(decoding: digits, as: UTF8.self), radix: 16), size >= 0 else {
                    throw HalcyonError(.unavailable, "the server's response has a chunk without a size")
                }
                state = size == 0 ? .trailers : .chunk(size)
            case .chunk(let left):
                let count = min(left, buffer.readableBytes)
                take(count, &buffer)
                if count < left {
                    state = .chunk(left - count)
                    return nil
                }
                guard buffer.readableBytes >= 2 else {
                    state = .chunk(0)
                    return nil
                }
                buffer.moveReaderIndex(forwardBy: 2)
                state = .size
            case .trailers:
                guard let line = Self.line(&buffer) else { return nil }
                if line.isEmpty { return finish() }
            }
        }
    }

    private mutating func finish() -> HTTPAnswer {
        defer {
            state = .head
            body = []
        }
        return HTTPAnswer(status: head.status, body: body, keepsAlive: head.keepsAlive)
    }

    private mutating func take(_ count: Int, _ buffer: inout ByteBuffer) {
        if keepsBodies || head.status >= 400, keepsBodies || body.count < Self.errorLimit, count > 0 {
            body.append(contentsOf: buffer.readableBytesView.prefix(count))
        }
        buffer.moveReaderIndex(forwardBy: count)
    }

    private static func line(_ buffer: inout ByteBuffer) -> [UInt8]? {
        guard let end = buffer.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        var line = buffer.readBytes(length: end - buffer.readerIndex + 1) ?? []
        line.removeLast()
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        return line
    }

    /// - Returns: whether the head is complete.
    private mutating func readHead(_ buffer: inout ByteBuffer) throws(HalcyonError) -> Bool {
        let fault = HalcyonError(.unavailable, "what answers there does not speak HTTP/1.1")
        let (length, parsed) = buffer.withUnsafeReadableBytes { bytes -> (Int?, Head?) in
            guard let length = Self.headLength(bytes) else { return (nil, nil) }
            return (length, Self.head(UnsafeRawBufferPointer(rebasing: bytes[..<(length - 2)])))
        }
        guard let length else {
            let isHTTP = buffer.withUnsafeReadableBytes { bytes in
                zip(bytes, "HTTP/1.".utf8).allSatisfy { $0 == $1 }
            }
            guard isHTTP, buffer.readableBytes <= Self.headLimit else { throw fault }
            return false
        }
        guard let parsed else { throw fault }
        buffer.moveReaderIndex(forwardBy: length)
        head = parsed
        return true
    }

    /// Where the empty line ends.
    private static func headLength(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var index = 3
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\n"):
                if bytes[index - 1] == UInt8(ascii: "\r"), bytes[index - 2] == UInt8(ascii: "\n") { return index + 1 }
                index += 2
            // It may be the end's first or third byte.
            case UInt8(ascii: "\r"): index += 1
            default: index += 4
            }
        }
        return nil
    }

    /// - Parameter bytes: lines, each with its end.
    private static func head(_ bytes: UnsafeRawBufferPointer) -> Head? {
        guard bytes.count >= 13, zip(bytes, "HTTP/1.".utf8).allSatisfy({ $0 == $1 }) else { return nil }
        var head = Head()
        for digit in bytes[9..<12] {
            guard digit &- UInt8(ascii: "0") < 10 else { return nil }
            head.status = head.status * 10 + Int(digit - UInt8(ascii: "0"))
        }
        head.keepsAlive = bytes[7] == UInt8(ascii: "1")
        var start = bytes.startIndex
        while start < bytes.endIndex {
            guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else { break }
            read(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), into: &head)
            start = end + 1
        }
        return head
    }

    private static func read(_ line: UnsafeRawBufferPointer, into head: inout Head) {
        // Only three headers matter, and they begin with c or t.
        guard let first = line.first.map({ $0 | 0x20 }), first == UInt8(ascii: "c") || first == UInt8(ascii: "t") else {
            return
        }
        if let value = value(of: "content-length:", line) {
            head.length = Int(value)
        } else if let value = value(of: "transfer-encoding:", line) {
            head.isChunked = value.lowercased().contains("chunked")
        } else if let value = value(of: "connection:", line) {
            head.keepsAlive = value.lowercased() != "close"
        }
    }

    private static func value(of name: StaticString, _ line: UnsafeRawBufferPointer) -> String? {
        let count = name.utf8CodeUnitCount
        guard line.count >= count, strncasecmp(line.baseAddress, name.utf8Start, count) == 0 else { return nil }
        let value = line[count...].filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") }
        return String(decoding: value, as: UTF8.self)
    }

    private static func strncasecmp(_ left: UnsafeRawPointer?, _ right: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
        guard let left else { return 1 }
        return Glibc.strncasecmp(
            left.assumingMemoryBound(to: CChar.self), UnsafeRawPointer(right).assumingMemoryBound(to: CChar.self), count
        )
    }
}
