private import Glibc

/// How a setting compares with the present one, from rounds in which both were measured in turns.
package struct Comparison: Hashable, Sendable {
    /// The setting's figure as times the present one's, round by round.
    package private(set) var ratios: [Double] = []

    package init(_ ratios: [Double] = []) { self.ratios = ratios }

    package mutating func add(_ ratio: Double) { ratios.append(ratio) }

    package var mean: Double { ratios.isEmpty ? 0 : ratios.reduce(0, +) / Double(ratios.count) }

    /// Where the true ratio lies with 95 in 100: Student's distribution, as rounds are few; `nil` with fewer than two.
    package var interval: ClosedRange<Double>? {
        let count = Double(ratios.count)
        guard count >= 2 else { return nil }
        let variance = ratios.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
        let index = min(ratios.count - 2, Self.quantiles.count - 1)
        let half = Self.quantiles[index] * sqrt(variance / count)
        return max(0, mean - half)...(mean + half)
    }

    /// Whether it is better beyond doubt.
    package var isBetter: Bool { interval.map { $0.lowerBound > 1 } ?? false }
    package var isWorse: Bool { interval.map { $0.upperBound < 1 } ?? false }

    /// Of 97.5 in 100, for one degree of freedom and more.
    private static let quantiles = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.0,
    ]
}
