internal import NIOCore
internal import NIOHPACK
internal import Tensors
internal import URIText

/// Reads headers of responses. The same few come over and over: what changes nothing in the table is read once.
struct ResponseHeaders {
    /// What matters of a block.
    struct Content: Hashable {
        var status: String?
        var grpcStatus: Int?
        var grpcMessage = ""
    }

    private static let cacheLimit = 64

    private var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
    private var known: [[UInt8]: Content] = [:]

    /// - Throws: `unavailable` for bytes that are no headers.
    mutating func read(_ block: [UInt8]) throws(HalcyonError) -> Content {
        if let content = known[block] { return content }
        var buffer = ByteBuffer(bytes: block)
        let headers: HPACKHeaders
        do {
            headers = try decoder.decodeHeaders(from: &buffer)
        } catch {
            throw HalcyonError(.unavailable, "the server's response has headers that can't be read: \(error)")
        }
        let content = Content(
            status: headers.first(name: ":status"), grpcStatus: headers.first(name: "grpc-status").flatMap { Int($0) },
            grpcMessage: PercentEncoding.decodeLeniently(headers.first(name: "grpc-message") ?? ""))
        if Self.changesTable(block) {
            known = [:]
        } else if known.count < Self.cacheLimit {
            known[block] = content
        }
        return content
    }

    /// Whether a block adds to the table or resizes it, so that numbers mean something else from then on.
    static func changesTable(_ block: [UInt8]) -> Bool {
        var index = 0
        func integer(bits: UInt8) -> Int {
            guard index < block.count else { return 0 }
            let limit = Int(1) << Int(bits) - 1
            var value = Int(block[index]) & limit
            index += 1
            guard value == limit else { return value }
            var shift = 0
            while index < block.count, shift < 28 {
                let byte = block[index]
                index += 1
                value += Int(byte & 0x7F) << shift
                shift += 7
                if byte & 0x80 == 0 { break }
            }
            return value
        }
        while index < block.count {
            let byte = block[index]
            if byte & 0x80 != 0 {
                _ = integer(bits: 7)
            } else if byte & 0x40 != 0 || byte & 0x20 != 0 {
                return true
            } else {
                let name = integer(bits: 4)
                if name == 0 { index += integer(bits: 7) }
                index += integer(bits: 7)
            }
        }
        return false
    }
}
