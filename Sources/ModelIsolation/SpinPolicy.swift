/// Whether it pays to look a few times before a thread goes to sleep: putting it to sleep and waking it up costs more
/// than what it waits for, where that comes soon. As a value.
///
/// Where it has not come soon, the next looks are left out: one, then twice as many each time. So a thread whose
/// messages come late, or that has no processor to itself, hardly ever looks. Where it has come not long after the
/// look, only a few are left out: two threads that both sleep keep each other waiting longer than a look lasts, and
/// would never find out that looking pays.
package struct SpinPolicy: Hashable, Sendable {
    /// How long to look, in nanoseconds.
    package static let duration: UInt64 = 50_000
    /// Waits without a look at most.
    package static let longestPause = 1024
    /// What comes within so many nanoseconds is near,
    package static let near: UInt64 = 200_000
    /// and no more waits than these are left out for it.
    package static let nearPause = 8

    private var left = 0
    private var pause = 1

    package init() {}

    /// Whether to look, this time.
    package mutating func begins() -> Bool {
        guard left > 0 else { return true }
        left -= 1
        return false
    }

    /// It has looked.
    ///
    /// - Parameter waited: nanoseconds until what was waited for came, the look included.
    package mutating func ended(found: Bool, waited: UInt64) {
        if found {
            pause = 1
            return
        }
        let longest = waited <= Self.near ? Self.nearPause : Self.longestPause
        left = min(pause, longest)
        pause = min(2 * pause, longest)
    }
}
