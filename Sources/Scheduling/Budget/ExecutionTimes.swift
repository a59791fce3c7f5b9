/// How long a batch of each size takes, learned from those that were executed. A value: what it says depends on what it
/// was told, and on nothing else. Times are nanoseconds.
package struct ExecutionTimes: Hashable, Sendable {
    private struct Entry: Hashable {
        var size: Int
        var mean: Double
        /// The mean of how far executions were from the mean.
        var deviation: Double
        var count: Int
    }

    /// Sizes that are remembered; more are folded into their neighbours.
    private static let capacity = 256
    /// Executions after which the mean moves by a fixed share.
    private static let memory = 16

    /// Ascending by size.
    private var entries: [Entry] = []

    package init() {}

    package var isEmpty: Bool { entries.isEmpty }
    /// The sizes that were executed, ascending.
    package var sizes: [Int] { entries.map(\.size) }

    /// Takes in an execution.
    package mutating func note(size: Int, duration: UInt64) {
        let size = max(1, size)
        let value = Double(duration)
        let index = entries.firstIndex { $0.size >= size } ?? entries.count
        guard index < entries.count, entries[index].size == size || entries.count >= Self.capacity else {
            // Nothing is known of how it varies: as much as executions of other sizes do.
            let spread = index > 0 ? entries[index - 1].deviation : entries.first?.deviation ?? 0
            if entries.count < Self.capacity {
                entries.insert(Entry(size: size, mean: value, deviation: spread, count: 1), at: index)
            }
            return
        }
        entries[index].count = min(Self.memory, entries[index].count + 1)
        let share = 1 / Double(entries[index].count)
        let distance = value - entries[index].mean
        entries[index].mean += distance * share
        entries[index].deviation += (abs(distance) - entries[index].deviation) * share
    }

    /// What a batch of that size takes on the average; `nil` while nothing was executed.
    package func mean(size: Int) -> Double? { interpolate(size) { $0.mean } }

    /// What nearly all batches of that size take at most; `nil` while nothing was executed.
    package func bound(size: Int) -> UInt64? {
        interpolate(size) { $0.mean + 3 * $0.deviation }.map { UInt64(min($0, Double(UInt64.max / 4))) }
    }

    /// Between two sizes that are known, on the line through them. Beyond the largest, on the line through it and the
    /// smallest, and in proportion to the size where one is known alone; below the smallest, what that takes.
    private func interpolate(_ size: Int, _ value: (Entry) -> Double) -> Double? {
        guard let first = entries.first, let last = entries.last else { return nil }
        if size <= first.size { return value(first) }
        if size > last.size {
            guard first.size < last.size else { return value(last) * Double(size) / Double(last.size) }
            let slope = max(0, (value(last) - value(first)) / Double(last.size - first.size))
            return value(last) + slope * Double(size - last.size)
        }
        guard let above = entries.firstIndex(where: { $0.size >= size }) else { return value(last) }
        guard entries[above].size > size, above > 0 else { return value(entries[above]) }
        let (low, high) = (entries[above - 1], entries[above])
        let part = Double(size - low.size) / Double(high.size - low.size)
        return value(low) + (value(high) - value(low)) * part
    }
}
