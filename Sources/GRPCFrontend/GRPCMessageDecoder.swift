internal import KServeProtocol
internal import NIOCore
internal import Tensors
internal import Transport

/// Cuts the bytes of a stream into gRPC's messages: a byte that says whether it is compressed, four bytes of length,
/// and the message (gRPC over HTTP/2, "Length-Prefixed-Message").
struct GRPCMessageDecoder: ~Copyable {
    struct Message: Sendable {
        var isCompressed: Bool
        var bytes: TensorBuffer
    }

    private let limit: Int
    private let budget: ByteBudget
    /// What has come of a message's prefix.
    private var prefix = Prefix()
    private var length = 0
    private var collector: BodyCollector?

    /// The bytes before a message, of which each is shifted in as it comes.
    private struct Prefix {
        static let size = 5
        var count = 0
        private var bits: UInt64 = 0

        var flag: UInt8 { UInt8(truncatingIfNeeded: bits >> 32) }
        var length: Int { Int(bits & 0xFFFF_FFFF) }

        mutating func take(_ byte: UInt8) {
            bits = bits << 8 | UInt64(byte)
            count += 1
        }
    }

    private static let limitName = "grpc-max-message-size"

    /// - Parameter limit: bytes that a message may have.
    init(limit: Int, budget: ByteBudget) {
        self.limit = limit
        self.budget = budget
    }

    /// Whether nothing of another message has come yet.
    var isBetweenMessages: Bool { prefix.count == 0 }

    /// Forgets what has come of a message.
    mutating func reset() {
        collector = nil
        prefix = Prefix()
    }

    /// Takes bytes off a chunk until a message is complete or the chunk is used up.
    mutating func next(_ chunk: inout ByteBuffer) throws(GRPCStatus) -> Message? {
        while prefix.count < Prefix.size {
            guard let byte = chunk.readInteger(as: UInt8.self) else { return nil }
            prefix.take(byte)
            if prefix.count == Prefix.size { try begin() }
        }
        let have = collector?.byteCount ?? 0
        if let part = chunk.readSlice(length: min(length - have, chunk.readableBytes)), part.readableBytes > 0 {
            do {
                try collector?.append(part)
            } catch {
                throw GRPCStatus(.resourceExhausted, error.message)
            }
        }
        guard collector?.byteCount ?? 0 == length, let body = collector.take()?.finish() else { return nil }
        let isCompressed = prefix.flag == 1
        prefix = Prefix()
        return Message(isCompressed: isCompressed, bytes: body)
    }

    private mutating func begin() throws(GRPCStatus) {
        guard prefix.flag <= 1 else {
            throw GRPCStatus(.internal, "a message begins with 0 or 1, got \(prefix.flag)")
        }
        length = prefix.length
        guard length <= limit else {
            throw GRPCStatus(
                .resourceExhausted, "the message of \(length) bytes is over \(Self.limitName), \(limit)")
        }
        guard length <= budget.maximum else {
            throw GRPCStatus(
                .resourceExhausted, "the message of \(length) bytes is over max-inflight-bytes, \(budget.maximum)")
        }
        collector = BodyCollector(
            expected: length, alignedOffset: 0, limit: limit, limitName: Self.limitName, budget: budget)
    }
}
