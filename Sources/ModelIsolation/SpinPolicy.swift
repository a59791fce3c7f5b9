/// Whether it pays to look a few times before a thread goes to sleep: putting it to sleep and waking it up costs more
/// than what it waits for, where that comes soon. As a value.
///
/// Where it has not come soon, the next looks are left out: one, then twice as many each time. So a thread whose
/// messages come late, or that has no processor to itself, hardly ever looks.
package struct SpinPolicy: Hashable, Sendable {
    /// How long to look, in nanoseconds.
    package static let duration: UInt64 = 50_000
    /// Waits without a look at most.
    package static let longestPause = 1024

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
    package mutating func ended(found: Bool) {
        if found {
            pause = 1
        } else {
            left = pause
            pause = min(2 * pause, Self.longestPause)
        }
    }
}
