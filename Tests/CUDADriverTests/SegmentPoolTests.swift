import Testing

@testable import CUDADriver

struct SegmentPoolTests {
    private let granule = SegmentPool.granule

    @Test func `Parts come from the smallest free range that they fit into`() {
        var pool = SegmentPool(limit: 100 * granule)
        _ = pool.add(byteCount: 10 * granule)
        let parts = [2, 1, 3].compactMap { pool.take(byteCount: $0 * granule) }
        #expect(parts.map(\.offset) == [0, 2 * granule, 3 * granule])
        // Free are now two granules at the start and four at the end.
        pool.give(parts[0])
        let next = [granule + 1, 2 * granule].compactMap { pool.take(byteCount: $0) }
        #expect(next.map(\.offset) == [0, 6 * granule])
    }

    @Test func `Neighbours become one again, in whatever order they come back`() {
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1]] {
            var pool = SegmentPool(limit: 3 * granule)
            _ = pool.add(byteCount: 3 * granule)
            let parts = (0..<4).compactMap { _ in pool.take(byteCount: granule) }
            #expect(parts.count == 3)
            for index in order { pool.give(parts[index]) }
            #expect(pool.usedBytes == 0)
            let whole = pool.take(byteCount: 3 * granule)
            #expect(whole?.offset == 0)
        }
    }

    @Test func `Segments are reserved up to the limit, and the idle ones go`() throws {
        var pool = SegmentPool(limit: 4 * granule)
        #expect(pool.segmentByteCount(for: 1) == 4 * granule)
        #expect(pool.segmentByteCount(for: 4 * granule + 1) == nil)
        #expect(pool.segmentByteCount(for: Int.max) == nil)
        let first = pool.add(byteCount: granule)
        #expect(pool.segmentByteCount(for: 1) == 3 * granule)
        let second = pool.add(byteCount: 3 * granule)
        #expect(pool.segmentByteCount(for: 1) == nil)
        let taken = pool.take(byteCount: 2 * granule)
        let part = try #require(taken)
        #expect(part.segment == second)
        let idle = pool.removeIdle()
        #expect(idle == [first])
        #expect(pool.reservedBytes == 3 * granule)
        pool.give(part)
        let last = pool.removeIdle()
        #expect(last == [second])
        #expect(pool.reservedBytes == 0)
    }

    @Test func `Large pools are reserved a segment at a time`() {
        let pool = SegmentPool(limit: 1 << 30)
        #expect(pool.segmentByteCount(for: 1) == SegmentPool.segmentByteCount)
        #expect(pool.segmentByteCount(for: 100 << 20) == 100 << 20)
        #expect(SegmentPool(limit: 0).segmentByteCount(for: 1) == nil)
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `After any random give and take, parts never overlap and nothing is lost`(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        func next(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        var pool = SegmentPool(limit: 64 * granule)
        var taken: [SegmentPool.Part] = []
        for _ in 0..<5000 {
            if next(2) == 0, !taken.isEmpty {
                pool.give(taken.remove(at: next(taken.count)))
            } else {
                let size = 1 + next(9 * granule)
                if let part = pool.take(byteCount: size) {
                    for other in taken where other.segment == part.segment {
                        let isApart =
                            other.offset + other.byteCount <= part.offset
                            || part.offset + part.byteCount <= other.offset
                        #expect(isApart, "seed \(seed)")
                    }
                    taken.append(part)
                } else if let segment = pool.segmentByteCount(for: size) {
                    _ = pool.add(byteCount: min(segment, 16 * granule))
                } else if next(4) == 0 {
                    _ = pool.removeIdle()
                }
            }
            #expect(pool.usedBytes == taken.reduce(0) { $0 + $1.byteCount }, "seed \(seed)")
            #expect(pool.reservedBytes <= pool.limit, "seed \(seed)")
        }
        for part in taken { pool.give(part) }
        _ = pool.removeIdle()
        #expect(pool.reservedBytes == 0, "seed \(seed)")
    }
}
