internal import NIOCore

/// Whether a client takes what waits for it. One that takes it slowly is not one that takes none of it.
struct WriteProgress {
    private let timeout: TimeAmount
    private var lastProgress = NIODeadline.uptimeNanoseconds(0)
    private var buffered = 0
    /// When to look again; `nil` while nothing is held back.
    private(set) var deadline: NIODeadline?

    /// - Parameter timeout: how long a client may take nothing.
    init(timeout: TimeAmount) { self.timeout = timeout }

    mutating func writabilityChanged(to isWritable: Bool, buffered: Int, at now: NIODeadline) {
        guard !isWritable else { return deadline = nil }
        lastProgress = now
        self.buffered = buffered
        deadline = now + interval
    }

    /// Looks whether anything has been taken.
    ///
    /// - Returns: whether nothing has been for too long.
    mutating func hasFailed(buffered: Int, at now: NIODeadline) -> Bool {
        guard deadline != nil else { return false }
        if buffered < self.buffered { lastProgress = now }
        self.buffered = buffered
        deadline = min(now + interval, lastProgress + timeout)
        return now - lastProgress >= timeout
    }

    private var interval: TimeAmount { timeout / 4 }
}

extension TimeAmount {
    fileprivate static func / (amount: TimeAmount, divisor: Int64) -> TimeAmount {
        .nanoseconds(max(1, amount.nanoseconds / divisor))
    }
}
