internal import Scheduling

/// The last batches of a model version, in bounded memory: why each had the size that it had can be looked at later.
///
/// Taking a batch in is a few stores into memory that is there, as every request pays for it; what readers see is made
/// of that when somebody reads. It has no lock: it lies beside the statistics, which are counted under one anyway.
package final class BatchRing {
    /// A batch as it is kept: nothing in it is counted by reference. 64 bytes, a line of a processor's cache.
    struct Cell: Sendable {
        var start: UInt64 = 0
        var inferenceStart: UInt64 = 0
        var inferenceEnd: UInt64 = 0
        var end: UInt64 = 0
        /// Among all requests that there ever were.
        var firstRequest: UInt64 = 0
        var requestCount: UInt32 = 0
        var size: UInt32 = 0
        var instance: UInt32 = 0
        var leftWaiting: UInt32 = 0
        var reason: BatchReason = .unbatched
        var isOnCaller = false
        var hasFailed = false
    }

    /// Requests that there is room for, for each batch that there is room for.
    static let requestsPerBatch = 8
    /// Instances whose names are kept at most.
    private static let namedInstances = 1 << 16

    /// Batches that are kept at most.
    package let capacity: Int
    let requestCapacity: Int
    /// Empty until the first batch comes: memory is for models that are used. Then of full length. Not arrays, which
    /// would ask at each store whether somebody else has them too.
    private var cells = UnsafeMutableBufferPointer<Cell>(start: nil, count: 0)
    private var requests = UnsafeMutableBufferPointer<RecordedRequest>(start: nil, count: 0)
    /// All batches and requests that there ever were, and where the next of each goes.
    private var batchCount: UInt64 = 0
    private var requestCount: UInt64 = 0
    private var nextCell = 0
    private var nextRequest = 0
    /// By instance.
    private var names: [String] = []

    /// - Parameter capacity: batches that are kept at most; at least 1.
    package init(capacity: Int) {
        self.capacity = max(1, min(capacity, 1 << 20))
        requestCapacity = self.capacity * Self.requestsPerBatch
    }

    deinit {
        cells.deallocate()
        requests.deallocate()
    }

    /// Takes in a batch that has been executed; the oldest gives way where there is no room.
    ///
    /// - Parameters:
    ///   - name: that of its instance.
    ///   - count: of its requests. Of more than there are places for, the rest is not kept.
    ///   - request: each of them, by its position.
    package func append(
        _ batch: BatchOutline, by name: String, count: Int, request: (Int) -> RecordedRequest
    ) {
        if cells.isEmpty { allocate() }
        if batch.instance >= names.count || names[batch.instance].isEmpty { self.name(batch.instance, name) }
        let kept = min(max(0, count), requestCapacity)
        cells[nextCell] = Cell(batch, firstRequest: requestCount, requestCount: kept)
        nextCell = nextCell + 1 == capacity ? 0 : nextCell + 1
        batchCount &+= 1
        for index in 0..<kept {
            requests[nextRequest] = request(index)
            nextRequest = nextRequest + 1 == requestCapacity ? 0 : nextRequest + 1
        }
        requestCount &+= UInt64(kept)
    }

    private func allocate() {
        cells = .allocate(capacity: capacity)
        cells.initialize(repeating: Cell())
        requests = .allocate(capacity: requestCapacity)
        requests.initialize(repeating: RecordedRequest(arrival: 0))
    }

    private func name(_ index: Int, _ name: String) {
        guard index >= 0, index < Self.namedInstances else { return }
        while names.count <= index { names.append("") }
        names[index] = name
    }

    /// What is kept of batches with a higher number, as it lies there: a copy for whoever holds the lock, of which
    /// ``BatchCopy/batches`` makes what is looked at.
    package func copy(after number: UInt64 = 0) -> BatchCopy {
        var copy = BatchCopy(instances: names, count: batchCount)
        let oldest = batchCount > UInt64(capacity) ? batchCount - UInt64(capacity) : 0
        let first = max(oldest, number)
        guard first < batchCount else { return copy }
        copy.firstBatch = first
        copy.cells = Self.last(Int(batchCount - first), of: cells, before: nextCell)
        // Requests from the first that is still there, or that one of these batches has.
        let oldestRequest = requestCount > UInt64(requestCapacity) ? requestCount - UInt64(requestCapacity) : 0
        copy.firstRequest = max(oldestRequest, copy.cells.first?.firstRequest ?? requestCount)
        copy.requests = Self.last(Int(requestCount - copy.firstRequest), of: requests, before: nextRequest)
        return copy
    }

    /// The last so many elements of a ring whose next place is given, in their order.
    private static func last<Element>(
        _ count: Int, of ring: UnsafeMutableBufferPointer<Element>, before next: Int
    ) -> [Element] {
        if count <= next { return Array(ring[(next - count)..<next]) }
        return Array(ring[(ring.count - (count - next))...]) + ring[..<next]
    }
}

extension BatchRing.Cell {
    @inline(__always)
    fileprivate init(_ batch: BatchOutline, firstRequest: UInt64, requestCount: Int) {
        start = batch.start
        inferenceStart = batch.inferenceStart
        inferenceEnd = batch.inferenceEnd
        end = batch.end
        self.firstRequest = firstRequest
        self.requestCount = UInt32(clamping: requestCount)
        size = UInt32(clamping: batch.size)
        instance = UInt32(clamping: batch.instance)
        leftWaiting = UInt32(clamping: batch.leftWaiting)
        reason = batch.reason
        isOnCaller = batch.isOnCaller
        hasFailed = batch.hasFailed
    }

    var outline: BatchOutline {
        var outline = BatchOutline(
            instance: Int(instance), size: Int(size), reason: reason, start: start, inferenceStart: inferenceStart,
            inferenceEnd: inferenceEnd, end: end)
        outline.leftWaiting = Int(leftWaiting)
        outline.isOnCaller = isOnCaller
        outline.hasFailed = hasFailed
        return outline
    }
}
