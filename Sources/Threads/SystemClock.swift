internal import CPlatform

/// A clock that threads can also wait on. The system's is ``SystemClock``; tests move one by hand.
package protocol SchedulingClock: MonotonicClock {
    /// Puts the calling thread to sleep until its parker is unparked or the clock shows `deadline` nanoseconds; `nil`
    /// for no deadline. It may also return early.
    func park(_ parker: Parker, until deadline: UInt64?)
}

/// The machine's monotonic clock.
package struct SystemClock: SchedulingClock {
    package init() {}

    package func now() -> UInt64 { halcyon_monotonic_now() }

    package func park(_ parker: Parker, until deadline: UInt64?) { parker.park(until: deadline) }
}
