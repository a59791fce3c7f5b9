/// Says of a request whether it may join the batch that is being formed, beyond what sizes and shapes say.
///
/// A batch ends before the first request that may not. The first request of a batch always runs: it is asked for too,
/// so that whoever decides knows the whole batch, and the answer does not count.
package struct BatchAdmission: Sendable {
    package typealias Predicate = @Sendable (_ batch: [QueuedRequest], _ next: QueuedRequest) -> Bool

    /// It is given the requests of the batch so far, in order, and the next one. Equal questions get equal answers.
    package let admits: Predicate

    package init(_ admits: @escaping Predicate) { self.admits = admits }
}
