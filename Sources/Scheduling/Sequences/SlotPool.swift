internal import HeapModule

/// The slots that no sequence holds. Those that never had one are only counted, so that a great number of them costs
/// nothing.
struct SlotPool: Sendable {
    private var returned = Heap<SequenceSlot>()
    /// Slots that never had a sequence follow each other in their own order; this is the first of them.
    private var firstUnused = 0
    private let total: Int
    private let instanceCount: Int

    init(options: SequenceOptions) {
        instanceCount = options.instanceCount
        let (product, overflow) = options.slotsPerInstance.multipliedReportingOverflow(by: options.instanceCount)
        total = overflow ? Int.max : product
    }

    /// The lowest free slot; `nil` where all are held.
    mutating func take() -> SequenceSlot? {
        if let slot = returned.popMin() { return slot }
        guard firstUnused < total else { return nil }
        defer { firstUnused += 1 }
        return SequenceSlot(instance: firstUnused % instanceCount, index: firstUnused / instanceCount)
    }

    mutating func give(_ slot: SequenceSlot) { returned.insert(slot) }
}
