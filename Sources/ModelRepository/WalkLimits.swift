private import Glibc
internal import Tensors

/// How far a walk through a folder goes. What lies in a repository is looked at again and again, and before every load.
package struct WalkLimits: Sendable {
    /// Files and folders of one walk.
    package var entryCount = 100_000
    /// Folders inside each other.
    package var depth = 64
    /// How long one walk may take, in nanoseconds of `now`.
    package var nanoseconds: UInt64 = 30_000_000_000
    package var now: @Sendable () -> UInt64 = { WalkLimits.monotonicTime() }

    package init() {}

    private static func monotonicTime() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
