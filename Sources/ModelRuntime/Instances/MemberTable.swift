internal import Synchronization
internal import Tensors

/// A crew's members by the numbers of their instances.
///
/// Instances come while others run. Threads learn of a number only from the executor's machine, under its lock, and
/// that learns of it when the member is in place; so a member is read without a lock. Numbers are not used again.
final class MemberTable: @unchecked Sendable, Sequence {
    /// Instances that may come beside those of the beginning, those that have gone included.
    static let room = 1024

    private let storage: UnsafeMutablePointer<CrewMember>
    private let capacity: Int
    private let used: Atomic<Int>

    init(_ members: [CrewMember]) {
        capacity = members.count + Self.room
        storage = .allocate(capacity: capacity)
        for (index, member) in members.enumerated() { (storage + index).initialize(to: member) }
        used = Atomic(members.count)
    }

    /// One member for each instance.
    ///
    /// - Throws: as ``CrewMember/make(_:of:_:sharing:)``.
    convenience init(_ parts: ModelExecutor.Parts) throws(HalcyonError) {
        do {
            self.init(
                try CrewMember.make(
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

    subscript(_ index: Int) -> CrewMember { storage[index] }

    /// How many more there can be.
    var left: Int { capacity - count }

    /// Adds members, at most as many as are left; by one thread at a time.
    func append(_ members: [CrewMember]) {
        let first = count
        for (index, member) in members.prefix(left).enumerated() { (storage + first + index).initialize(to: member) }
        used.store(first + Swift.min(members.count, capacity - first), ordering: .releasing)
    }

    func makeIterator() -> IndexingIterator<[CrewMember]> { indices.map { self[$0] }.makeIterator() }
}
