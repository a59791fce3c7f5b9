internal import DequeModule
internal import Tensors

/// How many responses of decoupled models are on their way to a caller. A model that is quicker than its caller takes them
/// would otherwise fill the memory.
///
/// The caller that gives it to its requests, one or several, says of each response, in order, that it has taken it. A caller
/// without one takes everything as it comes.
package final class ResponseFlow: Sendable {
    /// How long a model waits for its caller to take anything, in nanoseconds. The instance serves nobody else meanwhile.
    package static let patience: UInt64 = 30_000_000_000

    /// What a response costs beside its outputs' bytes.
    private static let overhead = 512

    private struct State {
        /// The bytes of each response that is under way.
        var responses: Deque<Int> = []
        var byteCount = 0
        /// Responses that were taken.
        var taken: UInt64 = 0
        var isClosed = false
    }

    private let limit: Int
    private let state = Locked(State())
    private let changed = Signal()

    /// - Parameter limit: bytes that are under way at a time, and one response beyond.
    package init(limit: Int = 16 << 20) { self.limit = limit }

    /// The caller has taken a response.
    package func took() {
        state.withLock { state in
            state.byteCount -= state.responses.popFirst() ?? 0
            state.taken &+= 1
        }
        changed.notify()
    }

    /// The caller has gone, and nobody is to wait for it.
    func close() {
        state.withLock { $0.isClosed = true }
        changed.notify()
    }

    var isFull: Bool { state.withLock { !$0.isClosed && $0.byteCount >= limit } }

    /// Blocks until there is room for another response, or the caller has gone.
    ///
    /// - Throws: `cancelled` when the caller has taken nothing for ``patience``, or has gone.
    func waitForRoom(_ clock: any SchedulingClock) throws(HalcyonError) {
        while isFull {
            let taken = state.withLock { $0.taken }
            let hasChanged = changed.wait(until: clock.now() &+ Self.patience, clock: clock) {
                self.state.withLock { $0.taken != taken || $0.isClosed }
            }
            guard hasChanged else {
                close()
                throw HalcyonError(
                    .cancelled,
                    "the caller has taken no response for \(ExecutionLimit.text(Self.patience)), and \(limit) bytes wait"
                )
            }
        }
        if state.withLock({ $0.isClosed }) { throw HalcyonError(.cancelled, "the caller has gone") }
    }

    /// A response is handed over.
    func gave(_ outputs: [Tensor]) {
        let bytes = outputs.reduce(Self.overhead) { $0 + $1.data.byteCount }
        state.withLock { state in
            state.responses.append(bytes)
            state.byteCount += bytes
        }
    }
}
