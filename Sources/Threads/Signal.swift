/// Lets threads wait until a condition holds that others bring about.
package final class Signal: Sendable {
    private let waiting = Locked<[Parker]>([])

    package init() {}

    /// Has every waiting thread look at its condition again. Cheap where nobody waits.
    package func notify() {
        let parkers = waiting.withLock { $0 }
        for parker in parkers { parker.unpark() }
    }

    /// Waits until the condition holds, or until the clock shows `deadline` nanoseconds.
    ///
    /// - Returns: whether the condition holds.
    package func wait(until deadline: UInt64?, clock: any SchedulingClock, _ condition: () -> Bool) -> Bool {
        let parker = Parker()
        waiting.withLock { $0.append(parker) }
        defer { waiting.withLock { $0.removeAll { $0 === parker } } }
        while !condition() {
            if let deadline, clock.now() >= deadline { return false }
            clock.park(parker, until: deadline)
        }
        return true
    }
}
