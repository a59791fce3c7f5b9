extension Duration {
    /// So many microseconds, as configurations and requests name them.
    package init(microseconds: UInt64) {
        self = .seconds(microseconds / 1_000_000) + .microseconds(microseconds % 1_000_000)
    }

    /// Whole nanoseconds: 0 for what is negative, the largest number for what is too long.
    package var wholeNanoseconds: UInt64 { whole(1_000_000_000) }

    /// Whole microseconds: 0 for what is negative, the largest number for what is too long. Less than one is one, as 0
    /// has a meaning of its own wherever microseconds are written.
    package var wholeMicroseconds: UInt64 { self > .zero ? max(1, whole(1_000_000)) : 0 }

    private func whole(_ unitsPerSecond: UInt64) -> UInt64 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        let (scaled, overflow) = UInt64(clamping: seconds).multipliedReportingOverflow(by: unitsPerSecond)
        let rest = UInt64(clamping: attoseconds) / (1_000_000_000_000_000_000 / unitsPerSecond)
        let (sum, isTooLong) = scaled.addingReportingOverflow(rest)
        return overflow || isTooLong ? .max : sum
    }
}
