internal import Synchronization

/// How long executions have been taking: a moving mean, in nanoseconds.
final class ExecutionPace: Sendable {
    /// An execution up to this long may run on a non-blocking caller's thread: about what waking a worker and being
    /// woken costs.
    static let short: UInt64 = 50_000

    private let mean = Atomic<UInt64>(UInt64.max)

    /// Whether executions are short; they are not before there was one.
    var isShort: Bool { mean.load(ordering: .relaxed) <= Self.short }

    func note(_ duration: UInt64) {
        let known = mean.load(ordering: .relaxed)
        mean.store(known == .max ? duration : known - known / 8 + duration / 8, ordering: .relaxed)
    }
}
