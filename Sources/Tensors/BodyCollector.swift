/// Gathers bytes that come in pieces into one piece of memory: the one copy that a payload sees on its way in. Each
/// piece is counted against a budget before there is memory for it.
package struct BodyCollector: ~Copyable {
    private let budget: ByteBudget
    private let limit: Int
    private let limitName: String
    /// Where in the memory the byte at `alignedOffset` is to lie on a cache line's boundary.
    private let lead: Int
    private var storage: GrowingStorage?
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
        let alignment = TensorStorage.alignment
        lead = (alignment - max(0, alignedOffset) % alignment) % alignment
        // Only what has come counts against the budget, so that announcing alone keeps nobody else out.
        hint = min(max(0, expected ?? 0), limit, Self.believedSize)
    }

    private let hint: Int
    private static let believedSize = 1 << 20
    private static let chargeStep = 64 << 10

    deinit { budget.giveBack(charged) }

    /// - Throws: `invalidArgument` for too many bytes; `unavailable` where the server holds too many, or the system has
    ///   no memory left.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(HalcyonError) {
        let count = bytes.count
        guard count <= limit - byteCount else {
            throw HalcyonError(
                .invalidArgument,
                "the request's body exceeds the maximum allowed value of \(limit) bytes, which --\(limitName) sets")
        }
        let needed = byteCount + count
        if needed > charged || needed > capacity {
            let size = needed > capacity ? self.size(for: needed) : capacity
            try charge(needed, ahead: size)
            if needed > capacity { try grow(to: size) }
        }
        if let storage, let source = bytes.baseAddress {
            (storage.start + lead + byteCount).copyMemory(from: source, byteCount: count)
        }
        byteCount += count
    }

    /// Takes what is needed from the budget, and a little of what there is memory for, so that small pieces seldom ask.
    private mutating func charge(_ needed: Int, ahead size: Int) throws(HalcyonError) {
        guard needed > charged else { return }
        let least = needed - charged
        let more = max(least, min(Self.chargeStep, size - charged))
        do {
            try budget.take(more)
            charged += more
        } catch {
            guard more > least else { throw error }
            try budget.take(least)
            charged += least
        }
    }

    private func size(for needed: Int) -> Int {
        let (double, overflow) = capacity.multipliedReportingOverflow(by: 2)
        return min(max(needed, hint, overflow ? needed : double, 512), max(needed, limit))
    }

    private mutating func grow(to size: Int) throws(HalcyonError) {
        if let storage {
            try storage.grow(to: lead + size, keeping: lead + byteCount)
        } else {
            storage = try GrowingStorage(byteCount: lead + size)
        }
        capacity = size
    }

    /// All that came; it counts against the budget until nothing refers to it any more.
    package consuming func finish() -> TensorBuffer {
        guard let storage else { return TensorBuffer(copying: [UInt8]()) }
        let (budget, charged, count) = (self.budget, charged, byteCount)
        self.charged = 0
        let owner = TensorStorage(owning: storage.start + lead, byteCount: count) { _ in
            withExtendedLifetime(storage) { budget.giveBack(charged) }
        }
        return TensorBuffer(owner)
    }
}
