internal import Tensors

/// Which parts of reserved memory are in use: bookkeeping only, which touches no memory.
///
/// Memory is reserved in segments, as it is needed and up to a limit. A request gets the smallest free part that it
/// fits into, so that large parts stay whole.
struct SegmentPool {
    /// A part that is in use.
    struct Part: Hashable, Sendable {
        var segment: Int
        /// Bytes from the segment's start.
        var offset: Int
        var byteCount: Int
    }

    private struct Segment {
        var byteCount: Int
        /// In the order of their offsets, no two of them side by side.
        var free: [(offset: Int, byteCount: Int)]
    }

    /// What every part is a multiple of, and begins at: enough for a GPU's widest accesses.
    static let granule = 512
    /// What is reserved at once where the request needs less.
    static let segmentByteCount = 32 << 20

    /// Bytes that may be reserved; 0 for none.
    let limit: Int
    private(set) var reservedBytes = 0
    private(set) var usedBytes = 0
    private var segments: [Int: Segment] = [:]
    private var nextSegment = 0

    init(limit: Int) { self.limit = max(0, limit) }

    /// A part of at least that many bytes; `nil` where no free one is large enough.
    mutating func take(byteCount: Int) -> Part? {
        guard let size = Self.rounded(byteCount) else { return nil }
        var best: (segment: Int, index: Int, byteCount: Int)?
        for (number, segment) in segments {
            for (index, range) in segment.free.enumerated() where range.byteCount >= size {
                // Of equal ones that of the oldest segment, so that younger ones become idle.
                if let best, (best.byteCount, best.segment) <= (range.byteCount, number) { continue }
                best = (number, index, range.byteCount)
            }
        }
        guard let best, var segment = segments[best.segment] else { return nil }
        let range = segment.free[best.index]
        if range.byteCount == size {
            segment.free.remove(at: best.index)
        } else {
            segment.free[best.index] = (range.offset + size, range.byteCount - size)
        }
        segments[best.segment] = segment
        usedBytes += size
        return Part(segment: best.segment, offset: range.offset, byteCount: size)
    }

    /// How many bytes to reserve for such a request; `nil` where the limit forbids it.
    func segmentByteCount(for byteCount: Int) -> Int? {
        guard let size = Self.rounded(byteCount) else { return nil }
        let left = (limit - reservedBytes) / Self.granule * Self.granule
        return size <= left ? max(size, min(Self.segmentByteCount, left)) : nil
    }

    /// Takes over a reserved segment, all of it free.
    ///
    /// - Returns: its number.
    mutating func add(byteCount: Int) -> Int {
        defer { nextSegment += 1 }
        segments[nextSegment] = Segment(byteCount: byteCount, free: [(0, byteCount)])
        reservedBytes += byteCount
        return nextSegment
    }

    /// Takes a part back.
    mutating func give(_ part: Part) {
        guard var segment = segments[part.segment] else { return }
        usedBytes -= part.byteCount
        let index = segment.free.firstIndex { $0.offset > part.offset } ?? segment.free.count
        segment.free.insert((part.offset, part.byteCount), at: index)
        for left in [index, index - 1] where left >= 0 && left + 1 < segment.free.count {
            let (first, second) = (segment.free[left], segment.free[left + 1])
            guard first.offset + first.byteCount == second.offset else { continue }
            segment.free[left].byteCount += second.byteCount
            segment.free.remove(at: left + 1)
        }
        segments[part.segment] = segment
    }

    /// Forgets the segments of which nothing is in use.
    ///
    /// - Returns: their numbers.
    mutating func removeIdle() -> [Int] {
        let idle = segments.filter { $0.value.free.first?.byteCount == $0.value.byteCount }
        for (number, segment) in idle {
            segments[number] = nil
            reservedBytes -= segment.byteCount
        }
        return idle.keys.sorted()
    }

    /// - Returns: `nil` for what no pool could hold.
    private static func rounded(_ byteCount: Int) -> Int? {
        let (sum, overflow) = max(1, byteCount).addingReportingOverflow(granule - 1)
        return overflow ? nil : sum / granule * granule
    }
}
