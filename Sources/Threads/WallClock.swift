private import Glibc

/// The time of day, which may jump: for what people and other programs read, never for waiting.
package enum WallClock {
    /// Milliseconds since 1970 in UTC.
    package static func milliseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
    }
}
