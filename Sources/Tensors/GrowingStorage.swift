private import CPlatform

/// Memory that becomes larger. From a size on it is whole pages of the system's: growing moves no bytes, and they go
/// back to the system when it goes.
///
/// One thread at a time may use it; nobody else sees it before it is whole.
final class GrowingStorage: @unchecked Sendable {
    /// The first byte, on a boundary of ``TensorStorage/alignment``.
    private(set) var start: UnsafeMutableRawPointer
    private var capacity: Int
    private var isPages: Bool

    private static let pagesFrom = 1 << 20

    /// - Throws: `unavailable` where the system has not that much memory.
    init(byteCount: Int) throws(HalcyonError) {
        start = try Self.allocate(byteCount)
        capacity = byteCount
        isPages = byteCount >= Self.pagesFrom
    }

    deinit { release() }

    private func release() {
        if isPages { halcyon_pages_unmap(start, capacity) } else { start.deallocate() }
    }

    private static func allocate(_ byteCount: Int) throws(HalcyonError) -> UnsafeMutableRawPointer {
        guard byteCount >= pagesFrom else {
            return .allocate(byteCount: max(byteCount, 1), alignment: TensorStorage.alignment)
        }
        guard let pages = halcyon_pages_map(byteCount) else { throw TensorStorage.exhausted(byteCount) }
        return pages
    }

    /// - Parameters:
    ///   - size: bytes that there shall be, more than there are.
    ///   - count: bytes from the start that stay as they are.
    /// - Throws: `unavailable` where the system has not that much memory.
    func grow(to size: Int, keeping count: Int) throws(HalcyonError) {
        if isPages {
            guard let moved = halcyon_pages_remap(start, capacity, size) else { throw TensorStorage.exhausted(size) }
            (start, capacity) = (moved, size)
            return
        }
        let larger = try Self.allocate(size)
        larger.copyMemory(from: start, byteCount: min(count, capacity))
        release()
        (start, capacity, isPages) = (larger, size, size >= Self.pagesFrom)
    }
}
