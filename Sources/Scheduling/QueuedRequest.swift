/// What the scheduler knows of a request. It never sees the request itself.
package struct QueuedRequest: Sendable {
    /// By which its owner knows the request; the scheduler only carries it.
    package var id: Int
    /// Items that it brings; at least 1, at most the maximum batch size.
    package var batchSize: Int
    /// Priority level, from 0, the most urgent.
    package var level: Int
    package var shape: ShapeKey
    /// When it was enqueued, in nanoseconds of the clock.
    package var enqueueTime: UInt64
    /// The timeout that the caller asked for, in nanoseconds; 0 for the level's default.
    package var requestedTimeout: UInt64
    /// Position in the order of arrival; given by the queue.
    package internal(set) var sequence: UInt64 = 0

    package init(
        id: Int, batchSize: Int = 1, level: Int = 0, shape: ShapeKey = .fixed, enqueueTime: UInt64,
        requestedTimeout: UInt64 = 0
    ) {
        self.id = id
        self.batchSize = batchSize
        self.level = level
        self.shape = shape
        self.enqueueTime = enqueueTime
        self.requestedTimeout = requestedTimeout
    }
}
