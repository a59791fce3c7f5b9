/// What lay in a ring of batches at one moment.
package struct BatchCopy: Sendable {
    /// The names of instances that have executed something, by number; empty for one that has not.
    package let instances: [String]
    /// All batches that there ever were.
    package let count: UInt64
    /// The position of the first of ``cells`` among all batches, and of ``requests`` among all requests.
    var firstBatch: UInt64 = 0
    var firstRequest: UInt64 = 0
    var cells: [BatchRing.Cell] = []
    var requests: [RecordedRequest] = []

    init(instances: [String] = [], count: UInt64 = 0) {
        self.instances = instances
        self.count = count
    }

    /// Those that are still whole, in their order: of a batch whose requests have given way nothing is shown.
    package var batches: [RecordedBatch] {
        cells.enumerated().compactMap { index, cell in
            guard cell.firstRequest >= firstRequest else { return nil }
            let start = Int(cell.firstRequest - firstRequest)
            guard requests.count - start >= Int(cell.requestCount) else { return nil }
            return RecordedBatch(
                number: firstBatch + UInt64(index) + 1, cell.outline,
                requests: Array(requests[start..<(start + Int(cell.requestCount))]))
        }
    }
}
