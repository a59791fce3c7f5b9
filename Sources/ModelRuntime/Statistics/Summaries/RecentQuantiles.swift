/// Quantiles of what came within the last minute, as Triton's summaries show them.
///
/// Sketches can't forget single values. So there are several, each of which begins anew when its minute is over, one
/// after the other: the oldest of them has what came within 48 to 60 seconds.
struct RecentQuantiles: Sendable {
    private static let sketchCount = 5
    /// Nanoseconds.
    private static let span: UInt64 = 60_000_000_000

    private var sketches: [QuantileSketch]
    private var oldest = 0
    private var nextTurn: UInt64

    init(_ targets: [SummaryQuantile], now: UInt64) {
        sketches = Array(repeating: QuantileSketch(targets), count: Self.sketchCount)
        nextTurn = now &+ Self.span / UInt64(Self.sketchCount)
    }

    mutating func insert(_ value: UInt64, now: UInt64) {
        turn(now)
        for index in sketches.indices { sketches[index].insert(value) }
    }

    /// - Returns: `nil` for each where nothing came.
    mutating func values(at quantiles: [SummaryQuantile], now: UInt64) -> [UInt64?] {
        turn(now)
        return quantiles.map { sketches[oldest].value(at: $0.quantile) }
    }

    private mutating func turn(_ now: UInt64) {
        guard now >= nextTurn else { return }
        let step = Self.span / UInt64(Self.sketchCount)
        let turns = (now - nextTurn) / step + 1
        for _ in 0..<min(turns, UInt64(Self.sketchCount)) {
            sketches[oldest].removeAll()
            oldest = (oldest + 1) % Self.sketchCount
        }
        nextTurn &+= turns &* step
    }
}
