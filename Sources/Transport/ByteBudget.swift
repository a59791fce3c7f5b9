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

    package func giveBack(_ count: Int) { used.wrappingSubtract(count, ordering: .relaxed) }
}
