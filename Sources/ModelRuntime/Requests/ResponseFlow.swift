internal import DequeModule
internal import Tensors
internal import Threads

/// How many responses of decoupled models are on their way to a caller. A model that is quicker than its caller takes
/// them would otherwise fill the memory.
///
/// The caller that gives it to its requests, one or several, says of each response, in order, that it has taken it. A
/// caller without one takes everything as it comes.
package final class ResponseFlow: Sendable {
    /// How long a model waits for its caller to take anything, in nanoseconds. The instance serves nobody else
    /// meanwhile.
    package static let patience: UInt64 = 30_000_000_000
    /// Bytes a second of the slowest caller that a model waits for again and again: what it takes pays for that much
    /// time.
    package static let slowestRate: UInt64 = 32 << 10

    /// How long a decoupled step of an ensemble waits for the steps behind it, in nanoseconds: each of them has its own
    /// limits, and this only ends that ensembles wait for each other's instances.
    package static let stepPatience: UInt64 = 300_000_000_000

    /// What a response costs beside its outputs' bytes.
    private static let overhead = 512

    private struct State {
        /// The bytes of each response that is under way.
        var responses: Deque<Int> = []
        var byteCount = 0
        /// Responses that were taken.
        var taken: UInt64 = 0
        /// Nanoseconds that models have waited, less what the responses that were taken since have paid for.
        var waited: UInt64 = 0
        var isClosed = false
        var modelHasFailed = false
    }

    private let limit: Int
    private let countLimit: Int
    private let patience: UInt64
    /// Whether steps of an ensemble take the responses, and not the caller.
    private let isForSteps: Bool
    /// Who takes what comes of the responses; `nil` where that is the caller.
    private let beyond: ResponseFlow?
    private let state = Locked(State())
    private let changed = Signal()

    /// - Parameters:
    ///   - limit: bytes that are under way at a time, and one response beyond.
    ///   - countLimit: responses that are under way at a time.
    package init(limit: Int = 16 << 20, countLimit: Int = .max) {
        self.limit = limit
        self.countLimit = countLimit
        patience = Self.patience
        isForSteps = false
        beyond = nil
    }

    /// For a decoupled step of an ensemble, whose responses other steps take.
    ///
    /// - Parameters:
    ///   - count: responses that are under way at a time.
    ///   - beyond: the ensemble's caller's; while that is full, this is.
    init(count: Int, beyond: ResponseFlow?) {
        limit = 16 << 20
        countLimit = count
        patience = Self.stepPatience
        isForSteps = true
        self.beyond = beyond
    }

    /// The caller has taken a response.
    package func took() {
        state.withLock { state in
            let count = state.responses.popFirst() ?? 0
            state.byteCount -= count
            state.taken &+= 1
            state.waited = state.waited.since(UInt64.seconds(UInt64(max(0, count))) / Self.slowestRate)
        }
        changed.notify()
    }

    /// The caller has gone, and nobody is to wait for it.
    func close() {
        state.withLock { $0.isClosed = true }
        changed.notify()
    }

    /// Whether the error that a request has ended with is the model's own answer.
    package var modelHasFailed: Bool { state.withLock { $0.modelHasFailed } }

    /// The model ends the request with an error.
    func modelFailed() { state.withLock { $0.modelHasFailed = true } }

    var isFull: Bool { isFullItself || beyond?.isFull == true }

    private var isFullItself: Bool {
        state.withLock { !$0.isClosed && ($0.byteCount >= limit || $0.responses.count >= countLimit) }
    }

    /// Blocks until there is room for another response, or the caller has gone.
    ///
    /// - Throws: `cancelled` when the caller has taken nothing for ``patience``, or too little in all that time, or has
    ///   gone.
    func waitForRoom(_ clock: any SchedulingClock) throws(HalcyonError) {
        repeat {
            try waitForRoomHere(clock)
            try beyond?.waitForRoom(clock)
        } while isFullItself
    }

    private func waitForRoomHere(_ clock: any SchedulingClock) throws(HalcyonError) {
        while isFullItself {
            let start = clock.now()
            let (taken, waited) = state.withLock { ($0.taken, $0.waited) }
            // Steps of an ensemble take the time that their models take.
            let isSlow = !isForSteps && waited >= patience
            let hasChanged =
                !isSlow
                && changed.wait(until: start.adding(patience), clock: clock) {
                    self.state.withLock { $0.taken != taken || $0.isClosed }
                }
            guard hasChanged else {
                close()
                throw HalcyonError(.cancelled, complaint(isSlow: isSlow))
            }
            let end = clock.now()
            state.withLock { $0.waited += end.since(start) }
        }
        if state.withLock({ $0.isClosed }) { throw HalcyonError(.cancelled, "the caller has gone") }
    }

    private func complaint(isSlow: Bool) -> String {
        let time = ExecutionLimit.text(patience)
        if isForSteps { return "the steps behind it have taken no response for \(time)" }
        let reason =
            isSlow
            ? "takes its responses at less than \(Self.slowestRate) bytes a second"
            : "has taken no response for \(time)"
        return "the caller \(reason), and \(limit) bytes wait"
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
