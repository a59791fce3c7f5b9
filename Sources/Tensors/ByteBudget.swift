internal import Synchronization

/// How many bytes a server holds at the same time for what its clients do: bodies as they come and decompressed,
/// tensors made of text, answers until they are written, traces.
package final class ByteBudget: Sendable {
    package let maximum: Int
    private let used = Atomic<Int>(0)
    /// Told of bytes that are free again.
    private let whenFreed: (@Sendable (Int) -> Void)?

    /// Bytes below which an answer is not counted: the sockets' buffers hold it.
    package static let uncounted = 512

    /// For what no client causes: nothing is ever too much.
    package static let unlimited = ByteBudget(maximum: .max)

    /// - Parameter whenFreed: told of larger numbers of bytes that are free again, by whichever thread freed them.
    package init(maximum: Int, whenFreed: (@Sendable (Int) -> Void)? = nil) {
        self.maximum = maximum
        self.whenFreed = whenFreed
    }

    /// Bytes that are counted at the moment.
    package var usedBytes: Int { used.load(ordering: .relaxed) }

    /// - Throws: `unavailable` where that many more would be too many now; `invalidArgument` where they always would.
    package func take(_ count: Int) throws(HalcyonError) {
        guard count <= maximum else {
            throw HalcyonError(
                .invalidArgument, "\(count) bytes are over max-inflight-bytes, \(maximum), by themselves")
        }
        let before = used.load(ordering: .relaxed)
        guard count <= maximum &- before else { throw refusal }
        let total = used.wrappingAdd(count, ordering: .relaxed).newValue
        guard total <= maximum else {
            used.wrappingSubtract(count, ordering: .relaxed)
            throw refusal
        }
    }

    private static let refusalStart = "the requests that are being served take all of max-inflight-bytes, "

    private var refusal: HalcyonError {
        HalcyonError(.unavailable, "\(Self.refusalStart)\(maximum): try again later")
    }

    /// Whether an error is a budget's refusal.
    package static func isRefusal(_ error: HalcyonError) -> Bool {
        error.code == .unavailable && error.message.hasPrefix(refusalStart)
    }

    package func giveBack(_ count: Int) {
        used.wrappingSubtract(count, ordering: .relaxed)
        if count >= Self.notable { whenFreed?(count) }
    }

    private static let notable = 64 << 10

    /// Bytes that are counted for as long as somebody refers to them.
    package final class Charge: Sendable {
        private let budget: ByteBudget
        package let count: Int

        fileprivate init(_ budget: ByteBudget, _ count: Int) {
            self.budget = budget
            self.count = count
        }

        deinit { budget.giveBack(count) }
    }

    /// - Throws: as ``take(_:)``.
    package func charge(_ count: Int) throws(HalcyonError) -> Charge {
        try take(count)
        return Charge(self, count)
    }

    /// Memory that counts until nothing refers to it any more.
    ///
    /// - Throws: as ``take(_:)``.
    package func allocate(byteCount: Int) throws(HalcyonError) -> TensorStorage {
        let charge = try charge(byteCount)
        let storage = try TensorStorage.reserve(byteCount: byteCount)
        return TensorStorage(owning: storage.baseAddress, byteCount: byteCount) { _ in
            withExtendedLifetime((storage, charge)) {}
        }
    }
}
