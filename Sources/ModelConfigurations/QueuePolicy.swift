internal import Tensors

/// How long and how many requests may wait (`ModelQueuePolicy`).
public struct QueuePolicy: Hashable, Sendable {
    /// What becomes of a request whose timeout passes while it waits.
    public enum TimeoutAction: String, Hashable, Sendable, CaseIterable {
        /// It fails at once.
        case reject = "REJECT"
        /// It waits on, behind all requests of its priority that are still in time.
        case delay = "DELAY"
    }

    /// What becomes of a request that has waited too long.
    public var timeoutAction: TimeoutAction
    /// ``defaultTimeout`` in microseconds, as configurations write it.
    package var defaultTimeoutMicroseconds: UInt64
    /// Whether a request may name a shorter timeout of its own.
    public var allowTimeoutOverride: Bool
    /// The most requests that may wait; 0 for no limit.
    public var maxQueueSize: Int

    /// Requests wait as long as it takes, any number of them, unless the arguments say otherwise.
    public init(
        timeoutAction: TimeoutAction = .reject, defaultTimeout: Duration = .zero,
        allowTimeoutOverride: Bool = false, maxQueueSize: Int = 0
    ) {
        self.init(
            timeoutAction: timeoutAction, defaultTimeoutMicroseconds: defaultTimeout.wholeMicroseconds,
            allowTimeoutOverride: allowTimeoutOverride, maxQueueSize: maxQueueSize)
    }

    package init(
        timeoutAction: TimeoutAction = .reject, defaultTimeoutMicroseconds: UInt64,
        allowTimeoutOverride: Bool = false, maxQueueSize: Int = 0
    ) {
        self.timeoutAction = timeoutAction
        self.defaultTimeoutMicroseconds = defaultTimeoutMicroseconds
        self.allowTimeoutOverride = allowTimeoutOverride
        self.maxQueueSize = maxQueueSize
    }

    /// How long a request may wait that names no time, in whole microseconds; zero for as long as it takes.
    public var defaultTimeout: Duration {
        get { Duration(microseconds: defaultTimeoutMicroseconds) }
        set { defaultTimeoutMicroseconds = newValue.wholeMicroseconds }
    }
}
