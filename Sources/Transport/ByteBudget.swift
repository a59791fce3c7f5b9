internal import Synchronization
package import Tensors

/// How many bytes of request bodies a server holds at the same time.
package final class ByteBudget: Sendable {
    package let maximum: Int
    private let used = Atomic<Int>(0)

    package init(maximum: Int) { self.maximum = maximum }

    /// - Throws: `unavailable` where that many more would be too many.
    package func take(_ count: Int) throws(HalcyonError) {
        let total = used.wrappingAdd(count, ordering: .relaxed).newValue
        guard total <= maximum else {
            used.wrappingSubtract(count, ordering: .relaxed)
            throw HalcyonError(
                .unavailable,
                "the requests that are being served take all of max-inflight-bytes, \(maximum): try again later")
        }
    }

    /// Bytes that count against the budget until nothing refers to them any more.
    ///
    /// - Throws: `unavailable` where they would be too many.
    package func charge(_ bytes: [UInt8]) throws(HalcyonError) -> Buffer {
        try take(bytes.count)
        let storage = BufferStorage.allocate(byteCount: bytes.count)
        bytes.withUnsafeBytes { source in
            if let start = source.baseAddress { storage.baseAddress.copyMemory(from: start, byteCount: source.count) }
        }
        let owner = BufferStorage(owning: storage.baseAddress, byteCount: bytes.count) { [self] _ in
            withExtendedLifetime(storage) { giveBack(bytes.count) }
        }
        return Buffer(owner)
    }

    package func giveBack(_ count: Int) { used.wrappingSubtract(count, ordering: .relaxed) }
}
