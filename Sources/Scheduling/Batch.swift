/// Requests that run as one, in the order in which they were taken.
package struct Batch: Sendable {
    package var requests: [QueuedRequest]
    /// Items: the sum of the requests' batch sizes.
    package var size: Int
    package var reason: BatchReason
    /// What was gathered ahead of time for an eagerly formed batch; the scheduler never looks into it.
    package nonisolated(unsafe) var preparation: AnyObject?

    package init(requests: [QueuedRequest], size: Int, reason: BatchReason) {
        self.requests = requests
        self.size = size
        self.reason = reason
    }
}
