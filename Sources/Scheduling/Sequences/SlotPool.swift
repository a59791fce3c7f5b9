internal import HeapModule

/// The slots that no sequence holds. Those that never had one are only counted, so that a great number of them costs
/// nothing.
struct SlotPool: Sendable {
    private var returned = Heap<SequenceSlot>()
    /// Slots that never had a sequence follow each other in their own order; this is the first of them.
    private var firstUnused = 0
    private let total: Int
    private let slotsPerInstance: Int
    private let instanceCount: Int
    /// The instances that came later, and the first slot of each that never had a sequence.
    private var added: [SequenceSlot] = []
    /// Instances that serve nobody, and their slots as far as they have come up.
    private var lost: Set<Int> = []
    private var withheld: [SequenceSlot] = []

    init(options: SequenceOptions) {
        instanceCount = options.instanceCount
        slotsPerInstance = options.slotsPerInstance
        let (product, overflow) = options.slotsPerInstance.multipliedReportingOverflow(by: options.instanceCount)
        total = overflow ? Int.max : product
    }

    /// The lowest free slot of an instance that is not lost; `nil` where all are held.
    mutating func take() -> SequenceSlot? {
        guard lost.count < instanceCount + added.count else { return nil }
        while let slot = next() {
            guard lost.contains(slot.instance) else { return slot }
            withheld.append(slot)
        }
        return nil
    }

    private mutating func next() -> SequenceSlot? {
        if let slot = returned.popMin() { return slot }
        let first =
            firstUnused < total
            ? SequenceSlot(instance: firstUnused % instanceCount, index: firstUnused / instanceCount) : nil
        let later = added.indices.filter { added[$0].index < slotsPerInstance }.min { added[$0] < added[$1] }
        guard let later, first.map({ added[later] < $0 }) ?? true else {
            if first != nil { firstUnused += 1 }
            return first
        }
        defer { added[later].index += 1 }
        return added[later]
    }

    /// There is another instance, with the number behind that of the last.
    mutating func add() { added.append(SequenceSlot(instance: instanceCount + added.count, index: 0)) }

    mutating func give(_ slot: SequenceSlot) { returned.insert(slot) }

    /// Gives out no more slots of that instance, until it is restored.
    mutating func lose(instance: Int) { lost.insert(instance) }

    mutating func restore(instance: Int) {
        lost.remove(instance)
        for slot in withheld where slot.instance == instance { returned.insert(slot) }
        withheld.removeAll { $0.instance == instance }
    }
}
