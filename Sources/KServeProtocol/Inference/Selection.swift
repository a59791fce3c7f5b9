/// The first few of many by an order, without sorting them all.
enum Selection {
    /// - Returns: `count` of the range, or all where it has fewer, in order.
    static func first(_ count: Int, of range: Range<Int>, by isBefore: (Int, Int) -> Bool) -> [Int] {
        guard count > 0 else { return [] }
        guard count < range.count else { return range.sorted(by: isBefore) }
        // A heap of those that are kept, the last of them on top.
        var kept = Array(range.prefix(count).sorted { isBefore($1, $0) })
        for candidate in range.dropFirst(count) where isBefore(candidate, kept[0]) {
            kept[0] = candidate
            sink(&kept, by: isBefore)
        }
        return kept.sorted(by: isBefore)
    }

    private static func sink(_ heap: inout [Int], by isBefore: (Int, Int) -> Bool) {
        var parent = 0
        while 2 * parent + 1 < heap.count {
            var child = 2 * parent + 1
            if child + 1 < heap.count, isBefore(heap[child], heap[child + 1]) { child += 1 }
            guard isBefore(heap[parent], heap[child]) else { return }
            heap.swapAt(parent, child)
            parent = child
        }
    }
}
