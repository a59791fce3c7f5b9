/// Quantiles of many values in little memory: those between which nobody needs to tell are merged (Cormode, Korn,
/// Muthukrishnan and Srivastava, "Effective computation of biased quantiles over data streams").
struct QuantileSketch: Sendable {
    private struct Item {
        var value: UInt64
        /// How many values it stands for.
        var count: Int
        /// By how many places its rank may be off.
        var spread: Int
    }

    private static let bufferSize = 256

    private let targets: [SummaryQuantile]
    private var items: [Item] = []
    /// Values that are not among the items yet.
    private var buffer: [UInt64] = []
    private var count = 0

    init(_ targets: [SummaryQuantile]) { self.targets = targets }

    mutating func insert(_ value: UInt64) {
        buffer.append(value)
        if buffer.count >= Self.bufferSize { flush() }
    }

    mutating func removeAll() {
        items = []
        buffer = []
        count = 0
    }

    /// - Returns: `nil` where there are no values.
    mutating func value(at quantile: Double) -> UInt64? {
        flush()
        guard var value = items.first?.value else { return nil }
        let wanted = (quantile * Double(count)).rounded(.up)
        let limit = wanted + (allowance(wanted) / 2).rounded(.down)
        var rank = 0
        for item in items {
            if Double(rank + item.count + item.spread) > limit { return value }
            rank += item.count
            value = item.value
        }
        return value
    }

    /// How many places a value of that rank may be off.
    private func allowance(_ rank: Double) -> Double {
        let count = Double(self.count)
        let allowances = targets.map { target -> Double in
            let isBelow = rank < target.quantile * count
            let (distance, share) = isBelow ? (count - rank, 1 - target.quantile) : (rank, target.quantile)
            return 2 * target.error * distance / max(share, 0.000_001)
        }
        return min(allowances.min() ?? 0, count)
    }

    private mutating func flush() {
        guard !buffer.isEmpty else { return }
        buffer.sort()
        var merged: [Item] = []
        merged.reserveCapacity(items.count + buffer.count)
        var next = 0
        var rank = 0
        for value in buffer {
            while next < items.count, items[next].value <= value {
                rank += items[next].count
                merged.append(items[next])
                next += 1
            }
            let isInside = !merged.isEmpty && next < items.count
            merged.append(Item(value: value, count: 1, spread: isInside ? max(0, Int(allowance(Double(rank))) - 1) : 0))
            rank += 1
            count += 1
        }
        merged += items[next...]
        buffer.removeAll(keepingCapacity: true)
        items = compressed(merged)
    }

    private func compressed(_ items: [Item]) -> [Item] {
        guard var current = items.first else { return items }
        var kept: [Item] = []
        var rank = 0
        for item in items.dropFirst() {
            // The least value stays, so that the lowest quantiles are of values that there were.
            let fits = Double(current.count + item.count + item.spread) <= allowance(Double(rank + current.count))
            if fits, !kept.isEmpty {
                current = Item(value: item.value, count: current.count + item.count, spread: item.spread)
            } else {
                kept.append(current)
                rank += current.count
                current = item
            }
        }
        kept.append(current)
        return kept
    }
}
