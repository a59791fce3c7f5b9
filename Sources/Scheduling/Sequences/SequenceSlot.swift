/// A place that one sequence at a time holds. Lower slots are given out first, so that all instances fill up alike and
/// their batches stay small.
struct SequenceSlot: Hashable, Comparable, Sendable {
    var instance: Int
    /// From 0, inside the instance.
    var index: Int

    static func < (left: SequenceSlot, right: SequenceSlot) -> Bool {
        (left.index, left.instance) < (right.index, right.instance)
    }
}
