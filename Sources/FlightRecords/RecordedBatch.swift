package import Scheduling

/// One request of a batch that was executed. Times are nanoseconds of the server's clock.
package struct RecordedRequest: Hashable, Sendable {
    package var arrival: UInt64
    /// Items that it brought.
    package var items: UInt32
    /// Its priority level, from 0, the most urgent.
    package var level: UInt32
    /// Tells the shapes of a model's requests apart; 0 where all have the same. It means nothing beside that.
    package var shape: UInt32

    package init(arrival: UInt64, items: UInt32 = 1, level: UInt32 = 0, shape: UInt32 = 0) {
        self.arrival = arrival
        self.items = items
        self.level = level
        self.shape = shape
    }
}

/// One batch that was executed. Times are nanoseconds of the server's clock.
package struct RecordedBatch: Hashable, Sendable {
    /// Its position among all batches of the model version, from 1, in the order in which they ended.
    package var number: UInt64
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
    /// In the order in which they were taken.
    package var requests: [RecordedRequest]

    package init(
        number: UInt64, instance: Int, size: Int, reason: BatchReason, start: UInt64, end: UInt64,
        requests: [RecordedRequest]
    ) {
        self.number = number
        self.instance = instance
        self.size = size
        self.reason = reason
        self.start = start
        inferenceStart = start
        inferenceEnd = end
        self.end = end
        self.requests = requests
    }

    /// How long each request waited, in nanoseconds.
    package var waits: [UInt64] { requests.map { start > $0.arrival ? start - $0.arrival : 0 } }
    package var duration: UInt64 { end > start ? end - start : 0 }
}
