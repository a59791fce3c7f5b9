internal import Synchronization
internal import Tensors

/// An executor's instances by their numbers.
///
/// Instances come while others run. Threads learn of a number only from the executor's machine, under its lock, and
/// that learns of it when its slot is in place; so a slot is read without a lock. Numbers are not used again.
final class SlotTable: @unchecked Sendable, Sequence {
    /// Instances that may come beside those of the beginning, those that have gone included.
    static let room = 1024

    private let storage: UnsafeMutablePointer<InstanceSlot>
    private let capacity: Int
    private let used: Atomic<Int>

    init(_ slots: [InstanceSlot]) {
        capacity = slots.count + Self.room
        storage = .allocate(capacity: capacity)
        for (index, slot) in slots.enumerated() { (storage + index).initialize(to: slot) }
        used = Atomic(slots.count)
    }

    /// One slot for each instance.
    ///
    /// - Throws: as ``InstanceSlot/make(_:of:_:sharing:)``.
    convenience init(_ parts: ModelExecutor.Parts) throws(HalcyonError) {
        do {
            self.init(
                try InstanceSlot.make(
                    parts.instances, of: parts.model, parts.configuration, sharing: parts.environment.resources))
        } catch {
            throw HalcyonError(wrapping: error)
        }
    }

    deinit {
        storage.deinitialize(count: count)
        storage.deallocate()
    }

    var count: Int { used.load(ordering: .acquiring) }

    var indices: Range<Int> { 0..<count }

    subscript(_ index: Int) -> InstanceSlot { storage[index] }

    /// How many more there can be.
    var left: Int { capacity - count }

    /// Adds slots, at most as many as are left; by one thread at a time.
    func append(_ slots: [InstanceSlot]) {
        let first = count
        for (index, slot) in slots.prefix(left).enumerated() { (storage + first + index).initialize(to: slot) }
        used.store(first + Swift.min(slots.count, capacity - first), ordering: .releasing)
    }

    func makeIterator() -> IndexingIterator<[InstanceSlot]> { indices.map { self[$0] }.makeIterator() }
}
