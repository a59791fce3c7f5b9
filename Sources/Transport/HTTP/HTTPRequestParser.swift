private import Glibc
internal import NIOCore
internal import NIOHTTP1

/// Cuts the bytes of a connection into the parts of its requests, as a value.
struct HTTPRequestParser {
    private enum Place: Equatable {
        case head
        /// So many bytes of the body are still to come.
        case body(Int)
        /// The line before a chunk.
        case chunkSize
        case chunk(Int)
        /// The end of a chunk's last line.
        case chunkEnd
        /// What follows the last chunk.
        case trailers
        case failed(HTTPConnectionError)
    }

    /// Bytes that a line of a head may have.
    static let maximumLineSize = 80 << 10
    /// Bytes that a head may have.
    static let maximumHeadSize = 1 << 20
    /// Bytes of the line before a chunk, its size and what extensions say; and of all trailers.
    private static let maximumChunkLineSize = 4 << 10

    private var place = Place.head
    private var buffer = ByteBuffer()
    /// Bytes of the buffer that have been looked through for the end of a head, and where the line begins that is
    /// looked at.
    private var scanned = 0
    private var lineStart = 0
    /// What has come of the trailers.
    private var trailerSize = 0

    /// Whether something of a request has come, and not all of it.
    var isBetweenRequests: Bool { place == .head && buffer.readableBytes == 0 }

    /// Takes in what has come.
    mutating func take(_ chunk: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = chunk
        } else {
            buffer.writeImmutableBuffer(chunk)
        }
    }

    /// The next part of a request.
    ///
    /// - Returns: `nil` where more bytes are needed for one.
    /// - Throws: how to answer what is not HTTP; nothing can follow that.
    mutating func next() throws(HTTPConnectionError) -> HTTPServerRequestPart? {
        do {
            let part = try part()
            // The memory is the connection's again.
            if buffer.readableBytes == 0 { buffer = ByteBuffer() }
            return part
        } catch {
            place = .failed(error)
            throw error
        }
    }

    private mutating func part() throws(HTTPConnectionError) -> HTTPServerRequestPart? {
        while true {
            switch place {
            case .head: return try head()
            case .body(0): return end()
            case .body(let left):
                guard let bytes = take(left) else { return nil }
                place = .body(left - bytes.readableBytes)
                return .body(bytes)
            case .chunkSize:
                guard let line = try line(Self.maximumChunkLineSize) else { return nil }
                let size = try Self.chunkSize(line)
                place = size == 0 ? .trailers : .chunk(size)
                trailerSize = 0
            case .chunk(0): place = .chunkEnd
            case .chunk(let left):
                guard let bytes = take(left) else { return nil }
                place = .chunk(left - bytes.readableBytes)
                return .body(bytes)
            case .chunkEnd:
                guard try line(2) != nil else { return nil }
                place = .chunkSize
            case .trailers:
                guard let line = try line(Self.maximumChunkLineSize - trailerSize) else { return nil }
                if line.readableBytes == 0 { return end() }
                trailerSize += line.readableBytes + 2
            case .failed(let error): throw error
            }
        }
    }

    private mutating func end() -> HTTPServerRequestPart {
        place = .head
        return .end(nil)
    }

    private mutating func take(_ most: Int) -> ByteBuffer? {
        guard buffer.readableBytes > 0 else { return nil }
        return buffer.readSlice(length: min(most, buffer.readableBytes))
    }

    // MARK: Heads

    private mutating func head() throws(HTTPConnectionError) -> HTTPServerRequestPart? {
        guard let size = try headSize() else { return nil }
        let result = buffer.withUnsafeReadableBytes { bytes in
            Result { () throws(HTTPConnectionError) in
                var reader = HTTPHeadReader(UnsafeRawBufferPointer(rebasing: bytes.prefix(size)))
                return try reader.read()
            }
        }
        let (head, framing) = try result.get()
        buffer.moveReaderIndex(forwardBy: size)
        switch framing {
        case .length(let count): place = .body(count)
        case .chunked: place = .chunkSize
        // What it is can be said when the head has been looked at; nothing can be read behind it.
        case .unknown: place = .failed(HTTPHeadReader.error("its transfer-encoding is not known"))
        }
        return .head(head)
    }

    /// The bytes of the head that the buffer begins with; `nil` where its end has not come. Empty lines before it are
    /// read over (RFC 9112, section 2.2).
    private mutating func headSize() throws(HTTPConnectionError) -> Int? {
        while let end = find(UInt8(ascii: "\n"), from: scanned) {
            let size = end - lineStart
            guard size > 0, byte(end - 1) == UInt8(ascii: "\r") else {
                throw HTTPHeadReader.error("a line does not end in CR LF")
            }
            guard end < Self.maximumHeadSize, size <= Self.maximumLineSize else { throw Self.tooLarge }
            scanned = end + 1
            let isEmpty = size == 1
            let isFirst = lineStart == 0
            lineStart = scanned
            guard isEmpty else { continue }
            (scanned, lineStart) = (0, 0)
            guard isFirst else { return end + 1 }
            buffer.moveReaderIndex(forwardBy: 2)
        }
        scanned = buffer.readableBytes
        // What is not even the beginning of a request is told at once, not when a line of it ends.
        if lineStart == 0, let first = byte(0), first < 0x20, first != UInt8(ascii: "\r") {
            throw HTTPHeadReader.error("it begins with a control character")
        }
        guard scanned <= Self.maximumHeadSize, scanned - lineStart <= Self.maximumLineSize else { throw Self.tooLarge }
        return nil
    }

    private static var tooLarge: HTTPConnectionError {
        HTTPConnectionError(
            .requestHeaderFieldsTooLarge,
            "the request's headers are over \(maximumLineSize >> 10) KiB, or over \(maximumHeadSize >> 20) MiB together"
        )
    }

    // MARK: Chunks

    /// A line without its end; `nil` where that has not come.
    private mutating func line(_ limit: Int) throws(HTTPConnectionError) -> ByteBuffer? {
        guard let end = find(UInt8(ascii: "\n"), from: 0) else {
            guard buffer.readableBytes < limit else { throw Self.badLine(limit) }
            return nil
        }
        guard end < limit else { throw Self.badLine(limit) }
        guard end > 0, byte(end - 1) == UInt8(ascii: "\r"), let line = buffer.readSlice(length: end - 1) else {
            throw HTTPHeadReader.error("a line does not end in CR LF")
        }
        buffer.moveReaderIndex(forwardBy: 2)
        return line
    }

    private static func badLine(_ limit: Int) -> HTTPConnectionError {
        HTTPHeadReader.error(
            limit == 2
                ? "a chunk is longer than it says" : "what stands between chunks is over \(maximumChunkLineSize) bytes")
    }

    /// The size before an extension (RFC 9112, section 7.1).
    private static func chunkSize(_ line: ByteBuffer) throws(HTTPConnectionError) -> Int {
        let digits = line.readableBytesView.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 && $0 != 0x09 }
        // 15 digits are no overflow.
        guard (1...15).contains(digits.count) else { throw HTTPHeadReader.error("a chunk has no size") }
        var size = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): size = size << 4 | Int(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): size = size << 4 | Int(digit - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): size = size << 4 | Int(digit - UInt8(ascii: "A") + 10)
            default: throw HTTPHeadReader.error("a chunk's size is no hexadecimal number")
            }
        }
        return size
    }

    // MARK: Bytes

    private func byte(_ index: Int) -> UInt8? { buffer.getInteger(at: buffer.readerIndex + index) }

    private func find(_ byte: UInt8, from start: Int) -> Int? {
        buffer.withUnsafeReadableBytes { bytes in
            guard start < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + start, Int32(byte), bytes.count - start)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }
}
