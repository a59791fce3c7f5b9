internal import KServeProtocol
internal import Tensors
internal import Transport

/// How the messages of a call are compressed.
struct GRPCCompression: Hashable, Sendable {
    let encoding: Compression
    /// zlib's.
    let level: Int32

    /// - Parameter accepted: what the client says that it takes.
    init?(_ accepted: String?, level: Int32) {
        guard level > 0, let accepted,
            let encoding = Compression.allCases.first(where: { accepted.contains($0.rawValue) })
        else { return nil }
        self.encoding = encoding
        self.level = level
    }
}

/// Messages as they go out: a byte that says whether it is compressed, four bytes of length, and the message (gRPC over
/// HTTP/2, "Length-Prefixed-Message").
struct GRPCFrame: Sendable {
    let parts: ByteParts
    let byteCount: Int

    /// What a client of the protocol can take: its lengths are signed.
    static let longestMessage = Int(Int32.max) - 5

    /// Compressing takes as long as the message is: nothing for an event loop where it is long.
    ///
    /// - Throws: `resourceExhausted` for a message that is too long to be sent.
    init(_ message: InferenceProtobufWriter.Message, _ compression: GRPCCompression?) throws(GRPCStatus) {
        guard message.byteCount <= Self.longestMessage else {
            throw GRPCStatus(
                .resourceExhausted,
                "the response of \(message.byteCount) bytes is over \(Self.longestMessage), the most that is sent")
        }
        if let compression, message.byteCount > 0, let bytes = Self.compressed(message, compression) {
            byteCount = bytes.count
            parts = ByteParts([.bytes(Self.prefix(1, bytes.count)), .bytes(bytes)])
            return
        }
        byteCount = message.byteCount
        var parts: [ByteParts.Part] = []
        parts.reserveCapacity(message.parts.count + 1)
        parts.append(.bytes(Self.prefix(0, message.byteCount)))
        for part in message.parts {
            switch part {
            case .bytes(let bytes): parts.append(.bytes(bytes))
            case .tensor(let tensor): parts.append(.buffer(tensor))
            }
        }
        self.parts = ByteParts(parts)
    }

    private static func prefix(_ flag: UInt8, _ count: Int) -> [UInt8] {
        let length = UInt32(clamping: count)
        return [
            flag, UInt8(truncatingIfNeeded: length >> 24), UInt8(truncatingIfNeeded: length >> 16),
            UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length),
        ]
    }

    private static func compressed(
        _ message: InferenceProtobufWriter.Message, _ compression: GRPCCompression
    ) -> [UInt8]? {
        withBytes(of: message.parts[...], []) {
            try? compression.encoding.compress($0, level: compression.level)
        }
    }

    private static func withBytes<Result>(
        of parts: ArraySlice<InferenceProtobufWriter.Message.Part>, _ bytes: [UnsafeRawBufferPointer],
        _ body: ([UnsafeRawBufferPointer]) -> Result
    ) -> Result {
        switch parts.first {
        case nil: body(bytes)
        case .bytes(let part): part.withUnsafeBytes { withBytes(of: parts.dropFirst(), bytes + [$0], body) }
        case .tensor(let part): part.withUnsafeBytes { withBytes(of: parts.dropFirst(), bytes + [$0], body) }
        }
    }
}
