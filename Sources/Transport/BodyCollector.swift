package import NIOCore
package import Tensors

/// Gathers the chunks of a body into one piece of memory: the one copy that a payload sees on its way in.
package struct BodyCollector: ~Copyable {
    private let budget: ByteBudget
    private let limit: Int
    private let limitName: String
    /// Where in the memory the byte at `alignedOffset` is to lie on a cache line's boundary.
    private let lead: Int
    private var storage: BufferStorage?
    private var capacity = 0
    /// Bytes taken from the budget: those that have come, a little rounded up.
    private var charged = 0
    package private(set) var byteCount = 0

    /// - Parameters:
    ///   - expected: the bytes to come, where the sender says so; only a hint.
    ///   - alignedOffset: the byte that is to be well aligned: where tensors begin.
    ///   - limit: more bytes than this are refused.
    ///   - limitName: what the limit is called in the error.
    package init(expected: Int?, alignedOffset: Int, limit: Int, limitName: String, budget: ByteBudget) {
        self.budget = budget
        self.limit = limit
        self.limitName = limitName
        let alignment = BufferStorage.alignment
        lead = (alignment - alignedOffset % alignment) % alignment
        // Memory for what the sender announces costs nothing until it comes: the system gives it page by page. Only what
        // has come counts against the budget, so that announcing alone keeps nobody else out.
        hint = min(expected ?? 0, limit, Self.believedSize)
    }

    private let hint: Int
    private static let believedSize = 16 << 20
    private static let chargeStep = 64 << 10

    deinit { budget.giveBack(charged) }

    /// - Throws: `invalidArgument` for too long a body; `unavailable` where the server holds too many bytes.
    package mutating func append(_ chunk: ByteBuffer) throws(HalcyonError) {
        let count = chunk.readableBytes
        guard count <= limit - byteCount else {
            throw HalcyonError(.invalidArgument, "the request's body is over \(limitName), \(limit) bytes")
        }
        let needed = byteCount + count
        if needed > charged {
            let more = max(needed - charged, min(Self.chargeStep, limit - charged))
            try budget.take(more)
            charged += more
        }
        if needed > capacity { grow(to: needed) }
        if let storage {
            let target = storage.baseAddress + lead + byteCount
            chunk.withUnsafeReadableBytes { bytes in
                if let source = bytes.baseAddress { target.copyMemory(from: source, byteCount: bytes.count) }
            }
        }
        byteCount += count
    }

    private mutating func grow(to needed: Int) {
        let size = min(max(needed, hint, capacity * 2, 512), max(needed, limit))
        let larger = BufferStorage.allocate(byteCount: lead + size)
        if let storage {
            (larger.baseAddress + lead).copyMemory(from: storage.baseAddress + lead, byteCount: byteCount)
        }
        storage = larger
        capacity = size
    }

    /// The whole body; it counts against the budget until nothing refers to it any more.
    package consuming func finish() -> Buffer {
        guard let storage else { return Buffer(copying: [UInt8]()) }
        let (budget, charged, count) = (self.budget, charged, byteCount)
        self.charged = 0
        let owner = BufferStorage(owning: storage.baseAddress + lead, byteCount: count) { _ in
            withExtendedLifetime(storage) { budget.giveBack(charged) }
        }
        return Buffer(owner)
    }
}
