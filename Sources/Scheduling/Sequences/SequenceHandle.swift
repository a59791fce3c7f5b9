/// Names a waiting request of a sequence. It goes stale when the request runs or leaves, and a stale handle finds
/// nothing.
package struct SequenceHandle: Hashable, Sendable {
    let sequence: SequenceTable.Reference
    let arrival: UInt64
}
