/// How long and how many requests may wait (`ModelQueuePolicy`).
public struct QueuePolicy: Hashable, Sendable {
    /// What becomes of a request whose timeout passes while it waits.
    public enum TimeoutAction: String, Hashable, Sendable, CaseIterable {
        /// It fails at once.
        case reject = "REJECT"
        /// It waits on, behind all requests of its priority that are still in time.
        case delay = "DELAY"
    }

    public var timeoutAction: TimeoutAction
    /// Microseconds; 0 for none.
    public var defaultTimeoutMicroseconds: UInt64
    /// Whether a request may name a shorter timeout of its own.
    public var allowTimeoutOverride: Bool
    /// The most requests that may wait; 0 for no limit.
    public var maxQueueSize: Int

    public init(
        timeoutAction: TimeoutAction = .reject, defaultTimeoutMicroseconds: UInt64 = 0,
        allowTimeoutOverride: Bool = false, maxQueueSize: Int = 0
    ) {
        self.timeoutAction = timeoutAction
        self.defaultTimeoutMicroseconds = defaultTimeoutMicroseconds
        self.allowTimeoutOverride = allowTimeoutOverride
        self.maxQueueSize = maxQueueSize
    }
}
