/// Requests that run as one, in the order in which they were taken.
///
/// The scheduler speaks of requests by number; whoever owns them puts the requests themselves in place of the numbers.
@usableFromInline
package struct Batch<Request: Sendable>: Sendable {
    @usableFromInline package var requests: [Request]
    /// Items: the sum of the requests' batch sizes.
    @usableFromInline package var size: Int
    @usableFromInline package var reason: BatchReason
    /// Requests that went on waiting when it was taken.
    @usableFromInline package var leftWaiting: Int

    @inlinable
    package init(requests: [Request], size: Int, reason: BatchReason, leftWaiting: Int = 0) {
        self.requests = requests
        self.size = size
        self.reason = reason
        self.leftWaiting = leftWaiting
    }
}
