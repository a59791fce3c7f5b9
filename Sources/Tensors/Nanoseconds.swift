/// A time of a monotonic clock, or how long something takes. Its arithmetic ends at ``never``: what does not fit is as
/// good as for ever.
@usableFromInline package typealias Nanoseconds = UInt64

extension Nanoseconds {
    /// A time that does not come.
    @inlinable package static var never: Nanoseconds { .max }

    @inlinable
    package static func microseconds(_ count: UInt64) -> Nanoseconds { count.times(1000) }

    @inlinable
    package static func milliseconds(_ count: UInt64) -> Nanoseconds { count.times(1_000_000) }

    @inlinable
    package static func seconds(_ count: UInt64) -> Nanoseconds { count.times(1_000_000_000) }

    /// The time that much later.
    @inlinable
    package func adding(_ duration: Nanoseconds) -> Nanoseconds {
        let (sum, overflow) = addingReportingOverflow(duration)
        return overflow ? .never : sum
    }

    @inlinable
    package func times(_ factor: UInt64) -> Nanoseconds {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .never : product
    }

    /// How long it is since then; 0 where that is later.
    @inlinable
    package func since(_ earlier: Nanoseconds) -> Nanoseconds { self > earlier ? self - earlier : 0 }
}
