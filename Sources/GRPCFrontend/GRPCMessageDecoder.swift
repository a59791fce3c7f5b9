internal import KServeProtocol
internal import NIOCore
internal import Tensors
internal import Transport

/// Cuts the bytes of a stream into gRPC's messages: a byte that says whether it is compressed, four bytes of length,
/// and the message (gRPC over HTTP/2, "Length-Prefixed-Message").
struct GRPCMessageDecoder: ~Copyable {
    struct Message: Sendable {
        var isCompressed: Bool
        var bytes: Buffer
    }

    private let limit: Int
    private let budget: ByteBudget
    private var prefix: [UInt8] = []
    private var length = 0
    private var collector: BodyCollector?

    private static let limitName = "grpc-max-message-size"

    /// - Parameter limit: bytes that a message may have.
    init(limit: Int, budget: ByteBudget) {
        self.limit = limit
        self.budget = budget
    }

    /// Whether nothing of another message has come yet.
    var isBetweenMessages: Bool { prefix.isEmpty }

    /// Forgets what has come of a message.
    mutating func reset() {
        collector = nil
        prefix.removeAll()
    }

    /// Takes bytes off a chunk until a message is complete or the chunk is used up.
    mutating func next(_ chunk: inout ByteBuffer) throws(GRPCStatus) -> Message? {
        while prefix.count < 5 {
            guard let byte = chunk.readInteger(as: UInt8.self) else { return nil }
            prefix.append(byte)
            if prefix.count == 5 { try begin() }
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
        let isCompressed = prefix[0] == 1
        prefix.removeAll(keepingCapacity: true)
        return Message(isCompressed: isCompressed, bytes: body)
    }

    private mutating func begin() throws(GRPCStatus) {
        guard prefix[0] <= 1 else {
            throw GRPCStatus(.internal, "a message begins with 0 or 1, got \(prefix[0])")
        }
        length = prefix[1...].reduce(0) { $0 << 8 | Int($1) }
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
