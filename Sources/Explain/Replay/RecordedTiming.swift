internal import FlightRecords
internal import Scheduling

/// What things took while a recording was made. A batch of the same requests takes what it took then, another one what
/// batches of its size took; and where the same request is the next to be served, a worker is there when it was there
/// then.
struct RecordedTiming: Simulation.Timing {
    private struct Known {
        var members: [Int]
        var start: UInt64
        var duration: UInt64
    }

    /// By the first of their requests.
    private var known: [Int: Known] = [:]
    private var times = ExecutionTimes()
    /// What waking a worker takes, and what lies between two batches of an instance; medians.
    private let wakeLatency: UInt64
    private let handOver: UInt64
    /// How far from its usual time a worker may come for the recording to be believed.
    private static let patience: UInt64 = 8
    private static let leastPatience: UInt64 = 200_000

    /// - Parameter batches: with the positions of their requests.
    init(_ batches: [(batch: RecordedBatch, members: [Int])]) {
        var wakes: [UInt64] = []
        var gaps: [UInt64] = []
        var lastEnd: [Int: UInt64] = [:]
        for (batch, members) in batches.sorted(by: { $0.batch.start < $1.batch.start }) {
            times.note(size: batch.size, duration: batch.duration)
            if let first = members.first {
                known[first] = Known(members: members, start: batch.start, duration: batch.duration)
            }
            defer { lastEnd[batch.instance] = batch.end }
            guard !batch.isOnCaller, let arrival = batch.requests.first?.arrival else { continue }
            let end = lastEnd[batch.instance] ?? 0
            if arrival > end, batch.reason == .instanceFree || batch.reason == .unbatched {
                wakes.append(batch.start &- arrival)
            } else if end > 0, arrival <= end, batch.start >= end {
                gaps.append(batch.start - end)
            }
        }
        wakeLatency = Self.median(wakes) ?? 50_000
        handOver = Self.median(gaps) ?? 0
    }

    private static func median(_ values: [UInt64]) -> UInt64? {
        values.isEmpty ? nil : values.sorted()[values.count / 2]
    }

    func duration(of requests: [Int], size: Int, start: UInt64) -> UInt64 {
        if let first = requests.first, let same = known[first], same.members == requests { return same.duration }
        return UInt64(max(0, times.mean(size: size) ?? 0))
    }

    func coming(at time: UInt64, head: Int?, isWoken: Bool) -> UInt64 {
        let usual = isWoken ? wakeLatency : handOver
        let patience = max(Self.leastPatience, usual.multipliedReportingOverflow(by: Self.patience).partialValue)
        if let head, let same = known[head], same.start >= time, same.start - time <= patience { return same.start }
        let (sum, overflow) = time.addingReportingOverflow(usual)
        return overflow ? .max : sum
    }
}
