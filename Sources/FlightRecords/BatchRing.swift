internal import Scheduling

/// The last batches of a model, as a value in bounded memory: a ring of batches, and one of their requests.
struct BatchRing: Sendable {
    private struct Slot {
        var batch: RecordedBatch
        var firstRequest: UInt64
        var requestCount: Int
    }

    /// Requests that there is room for, for each batch that there is room for.
    private static let requestsPerBatch = 8

    let capacity: Int
    private let requestCapacity: Int
    private var slots: [Slot] = []
    private var requests: [RecordedRequest] = []
    /// All that there ever were.
    private(set) var batchCount: UInt64 = 0
    private var requestCount: UInt64 = 0

    /// - Parameter capacity: batches that are kept at most; at least 1.
    init(capacity: Int) {
        self.capacity = max(1, min(capacity, 1 << 20))
        requestCapacity = self.capacity * Self.requestsPerBatch
    }

    /// Takes in a batch; the oldest gives way where there is no room.
    ///
    /// - Parameters:
    ///   - batch: without a number, and without requests.
    ///   - members: as many as there are places for; the rest of a larger batch is not kept.
    mutating func append(_ batch: RecordedBatch, count: Int, member: (Int) -> RecordedRequest) {
        let kept = min(max(0, count), requestCapacity)
        let slot = Slot(batch: batch, firstRequest: requestCount, requestCount: kept)
        if slots.isEmpty {
            // Memory is for models that are used.
            slots.reserveCapacity(capacity)
            requests.reserveCapacity(requestCapacity)
        }
        for index in 0..<kept {
            let place = Int(requestCount % UInt64(requestCapacity))
            if place < requests.count { requests[place] = member(index) } else { requests.append(member(index)) }
            requestCount &+= 1
        }
        let place = Int(batchCount % UInt64(capacity))
        if place < slots.count { slots[place] = slot } else { slots.append(slot) }
        batchCount &+= 1
    }

    /// Those with a higher number that are still whole, in their order.
    func batches(after number: UInt64) -> [RecordedBatch] {
        let oldest = batchCount > UInt64(capacity) ? batchCount - UInt64(capacity) : 0
        let first = max(oldest, number)
        guard first < batchCount else { return [] }
        return (first..<batchCount).compactMap { position in
            let slot = slots[Int(position % UInt64(capacity))]
            guard requestCount - slot.firstRequest <= UInt64(requestCapacity) else { return nil }
            var batch = slot.batch
            batch.number = position + 1
            batch.requests = (0..<slot.requestCount).map { index in
                requests[Int((slot.firstRequest + UInt64(index)) % UInt64(requestCapacity))]
            }
            return batch
        }
    }
}
