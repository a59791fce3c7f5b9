/// The room for loads: a value, which is told the time.
struct LoadLeases {
    struct Lease: Hashable {
        fileprivate let number: UInt64
    }

    private let count: Int
    private let patience: UInt64
    /// When each was taken, oldest first.
    private var taken: [(lease: Lease, start: UInt64)] = []
    private var nextNumber: UInt64 = 0

    /// - Parameters:
    ///   - count: loads at the same time; at least one.
    ///   - patience: how long one counts, in nanoseconds.
    init(count: Int, patience: UInt64) {
        self.count = max(1, count)
        self.patience = patience
    }

    func isFree(now: UInt64) -> Bool { taken.count { now &- $0.start < patience } < count }

    /// - Returns: `nil` where there is no room.
    mutating func take(now: UInt64) -> Lease? {
        guard isFree(now: now) else { return nil }
        let lease = Lease(number: nextNumber)
        nextNumber += 1
        taken.append((lease, now))
        return lease
    }

    mutating func giveBack(_ lease: Lease) { taken.removeAll { $0.lease == lease } }

    /// When there is room at the latest; `nil` where there is some.
    var nextExpiry: UInt64? {
        guard taken.count >= count else { return nil }
        // Those that count no longer are the oldest.
        let (expiry, overflow) = taken[taken.count - count].start.addingReportingOverflow(patience)
        return overflow ? nil : expiry
    }
}
