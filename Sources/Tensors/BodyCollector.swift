/// Gathers bytes that come in pieces into one piece of memory: the one copy that a payload sees on its way in. Each
/// piece is counted against a budget before there is memory for it.
package struct BodyCollector: ~Copyable {
    private let budget: ByteBudget
    private let limit: Int
    private let limitName: String
    /// Where in the memory the byte at `alignedOffset` is to lie on a cache line's boundary.
    private let lead: Int
    private var storage: GrowingStorage?
    /// Where the bytes are to lie, if not in memory of the collector's own; and what was got of it.
    private var memory: (any MemoryProvider)?
    private var given: TensorStorage?
    private var capacity = 0
    /// Bytes taken from the budget: those that have come, a little rounded up.
    private var charged = 0
    package private(set) var byteCount = 0

    /// - Parameters:
    ///   - expected: the bytes to come, where the sender says so; only a hint.
    ///   - alignedOffset: the byte that is to be well aligned: where tensors begin.
    ///   - limit: more bytes than this are refused.
    ///   - limitName: what the limit is called in the error.
    ///   - memory: where the bytes lie best, if they are as many as expected and those are worth it
    ///     (``isWorthMemory(_:)``).
    package init(
        expected: Int?, alignedOffset: Int, limit: Int, limitName: String, budget: ByteBudget,
        memory: (any MemoryProvider)? = nil
    ) {
        self.memory = Self.isWorthMemory(expected) ? memory : nil
        self.expected = expected ?? 0
        self.budget = budget
        self.limit = limit
        self.limitName = limitName
        let alignment = TensorStorage.alignment
        lead = (alignment - max(0, alignedOffset) % alignment) % alignment
        // Only what has come counts against the budget, so that announcing alone keeps nobody else out.
        hint = min(max(0, expected ?? 0), limit, Self.believedSize)
    }

    private let hint: Int
    private let expected: Int

    /// Whether a body of that size is worth looking for the memory in which it lies best: smaller ones are copied there
    /// quickly, and larger ones would let a client hold too much by announcing alone.
    package static func isWorthMemory(_ byteCount: Int?) -> Bool { (256 << 10...64 << 20).contains(byteCount ?? 0) }

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
        takeMemory(needed)
        if needed > charged || needed > capacity {
            let size = needed > capacity ? self.size(for: needed) : capacity
            try charge(needed, ahead: size)
            if needed > capacity { try grow(to: size) }
        }
        if let start, let source = bytes.baseAddress {
            (start + lead + byteCount).copyMemory(from: source, byteCount: count)
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

    private var start: UnsafeMutableRawPointer? { given?.baseAddress ?? storage?.start }

    /// Goes on in the memory that is better, once an eighth has come: announcing alone holds none of it.
    private mutating func takeMemory(_ needed: Int) {
        guard let memory, given == nil, needed <= expected, expected <= limit, needed >= expected / 8 else { return }
        self.memory = nil
        guard let whole = memory.inputStorage(byteCount: lead + expected) else { return }
        if let storage {
            (whole.baseAddress + lead).copyMemory(from: storage.start + lead, byteCount: byteCount)
        }
        (given, storage, capacity) = (whole, nil, expected)
    }

    private mutating func grow(to size: Int) throws(HalcyonError) {
        if let given {
            // More comes than was announced.
            let moved = try GrowingStorage(byteCount: lead + size)
            moved.start.copyMemory(from: given.baseAddress, byteCount: lead + byteCount)
            (storage, self.given) = (moved, nil)
        } else if let storage {
            try storage.grow(to: lead + size, keeping: lead + byteCount)
        } else {
            storage = try GrowingStorage(byteCount: lead + size)
        }
        capacity = size
    }

    /// All that came; it counts against the budget until nothing refers to it any more.
    package consuming func finish() -> TensorBuffer {
        if let given { return finish(in: given) }
        guard let storage else { return TensorBuffer(copying: [UInt8]()) }
        let (budget, charged, count) = (self.budget, charged, byteCount)
        self.charged = 0
        let owner = TensorStorage(owning: storage.start + lead, byteCount: count) { _ in
            withExtendedLifetime(storage) { budget.giveBack(charged) }
        }
        return TensorBuffer(owner)
    }

    private consuming func finish(in given: TensorStorage) -> TensorBuffer {
        let (budget, charged, lead, count) = (self.budget, charged, lead, byteCount)
        self.charged = 0
        // It begins where what it was got from begins: by that address others know it.
        let owner = TensorStorage(
            owning: given.baseAddress, byteCount: given.byteCount, placement: given.placement
        ) { _ in
            withExtendedLifetime(given) { budget.giveBack(charged) }
        }
        let whole = TensorBuffer(owner)
        return (try? whole.slice(offset: lead, byteCount: count)) ?? whole
    }
}
