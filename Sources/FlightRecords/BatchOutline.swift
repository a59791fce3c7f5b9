package import Scheduling

/// A batch that was executed, without its requests: plain numbers, which cost nothing to hand over. Times are
/// nanoseconds of the server's clock.
package struct BatchOutline: Hashable, Sendable {
    package var instance: Int
    /// Rows that the model ran on.
    package var size: Int
    package var reason: BatchReason
    /// Whether it ran on the thread of the caller, in place of the instance's own.
    package var isOnCaller = false
    /// Whether its requests got an error.
    package var hasFailed = false
    /// Requests that went on waiting when it was taken out of the queue.
    package var leftWaiting = 0
    /// When it was taken out of the queue, and its inputs were about to be gathered.
    package var start: UInt64
    package var inferenceStart: UInt64
    package var inferenceEnd: UInt64
    /// When its answers were there.
    package var end: UInt64

    package init(
        instance: Int, size: Int, reason: BatchReason, start: UInt64, inferenceStart: UInt64? = nil,
        inferenceEnd: UInt64? = nil, end: UInt64
    ) {
        self.instance = instance
        self.size = size
        self.reason = reason
        self.start = start
        self.inferenceStart = inferenceStart ?? start
        self.inferenceEnd = inferenceEnd ?? end
        self.end = end
    }
}
