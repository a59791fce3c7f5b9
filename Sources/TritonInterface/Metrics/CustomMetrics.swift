internal import Tensors
private import Threads

/// The metrics that backends and models make. A process has one set of them, which the pages of all its servers show.
///
/// Two that make a family of the same name, or a metric of the same labels, share it; it goes with the last of them.
package final class CustomMetrics: Sendable {
    package enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    /// What a page shows.
    package struct Family: Hashable, Sendable {
        package var kind: Kind
        package var name: String
        package var help: String
        /// In the order of their labels.
        package var samples: [Sample]
    }

    package struct Sample: Hashable, Sendable {
        /// In the order in which they were given.
        package var labels: [Label]
        /// A counter's or a gauge's value; a histogram's sum.
        package var value: Double
        /// A histogram's upper bounds; empty for others.
        package var bounds: [Double] = []
        /// How many observations were at most as large as each bound; the last is all of them. Empty for others.
        package var counts: [UInt64] = []
    }

    package struct Label: Hashable, Comparable, Sendable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }

        package static func < (left: Label, right: Label) -> Bool {
            (left.name, left.value) < (right.name, right.value)
        }
    }

    private struct Entry {
        var kind: Kind
        var help: String
        var users: Int
        var metrics: [[Label]: (sample: Sample, users: Int)] = [:]
    }

    package static let shared = CustomMetrics()
    private let entries = Locked<[String: Entry]>([:])

    package init() {}

    /// All families that have a metric, by name.
    package func families() -> [Family] {
        entries.withLock { entries in
            entries.sorted { $0.key < $1.key }.compactMap { name, entry in
                guard !entry.metrics.isEmpty else { return nil }
                return Family(
                    kind: entry.kind, name: name, help: entry.help,
                    samples: entry.metrics.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { $1.sample })
            }
        }
    }

    // MARK: Families

    /// - Throws: `invalidArgument` for a name that Prometheus does not take, or that is used for another kind.
    func addFamily(_ name: String, _ kind: Kind, help: String) throws(HalcyonError) {
        guard Self.isName(name, mayHaveColon: true) else {
            throw HalcyonError(
                .invalidArgument,
                "'\(name)' is no name of a metric: expected letters, digits, '_' and ':', and no digit in front")
        }
        try entries.withLock { entries throws(HalcyonError) in
            var entry = entries[name] ?? Entry(kind: kind, help: help, users: 0)
            guard entry.kind == kind else {
                throw HalcyonError(
                    .invalidArgument,
                    "the metric family '\(name)' exists as a \(entry.kind.rawValue), and is asked for as a "
                        + kind.rawValue)
            }
            entry.users += 1
            entries[name] = entry
        }
    }

    func removeFamily(_ name: String) {
        entries.withLock { entries in
            guard var entry = entries[name] else { return }
            entry.users -= 1
            entries[name] = entry.users > 0 ? entry : nil
        }
    }

    static func isName(_ name: String, mayHaveColon: Bool = false) -> Bool {
        guard let first = name.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            case UInt8(ascii: ":"): mayHaveColon
            default: false
            }
        }
    }

    // MARK: Metrics

    /// - Returns: by what the metric is known from now on.
    func addMetric(_ family: String, _ labels: [Label], bounds: [Double]) -> [Label] {
        let key = labels.sorted()
        entries.withLock { entries in
            guard var entry = entries[family] else { return }
            var metric = entry.metrics[key] ?? (Sample(labels: labels, value: 0), 0)
            if metric.users == 0, entry.kind == .histogram {
                metric.sample.bounds = bounds
                metric.sample.counts = Array(repeating: 0, count: bounds.count + 1)
            }
            metric.users += 1
            entry.metrics[key] = metric
            entries[family] = entry
        }
        return key
    }

    func removeMetric(_ family: String, _ key: [Label]) {
        entries.withLock { entries in
            guard var metric = entries[family]?.metrics[key] else { return }
            metric.users -= 1
            entries[family]?.metrics[key] = metric.users > 0 ? metric : nil
        }
    }

    func value(_ family: String, _ key: [Label]) -> Double {
        entries.withLock { $0[family]?.metrics[key]?.sample.value ?? 0 }
    }

    func change(_ family: String, _ key: [Label], _ body: (inout Sample) -> Void) {
        entries.withLock { entries in
            guard var metric = entries[family]?.metrics[key] else { return }
            body(&metric.sample)
            entries[family]?.metrics[key] = metric
        }
    }
}
