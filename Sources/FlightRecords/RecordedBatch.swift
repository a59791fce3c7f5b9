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

/// One batch that was executed, with its requests; what its outline has can be asked of it.
@dynamicMemberLookup
package struct RecordedBatch: Hashable, Sendable {
    /// Its position among all batches of the model version, from 1, in the order in which they ended.
    package var number: UInt64
    package var outline: BatchOutline
    /// In the order in which they were taken.
    package var requests: [RecordedRequest]

    package init(number: UInt64, _ outline: BatchOutline, requests: [RecordedRequest]) {
        self.number = number
        self.outline = outline
        self.requests = requests
    }

    package init(
        number: UInt64, instance: Int, size: Int, reason: BatchReason, start: UInt64, end: UInt64,
        requests: [RecordedRequest]
    ) {
        let outline = BatchOutline(instance: instance, size: size, reason: reason, start: start, end: end)
        self.init(number: number, outline, requests: requests)
    }

    package subscript<Value>(dynamicMember path: WritableKeyPath<BatchOutline, Value>) -> Value {
        get { outline[keyPath: path] }
        set { outline[keyPath: path] = newValue }
    }

    /// How long each request waited, in nanoseconds.
    package var waits: [UInt64] { requests.map { outline.start > $0.arrival ? outline.start - $0.arrival : 0 } }
    package var duration: UInt64 { outline.end > outline.start ? outline.end - outline.start : 0 }
}
