internal import ArgumentParser

/// The values that a number on the command line may have.
enum FlagRange {
    static func check<Number: Comparable>(_ flag: String, _ value: Number, _ range: ClosedRange<Number>) throws {
        guard range.contains(value) else {
            throw ValidationError("--\(flag) takes \(range.lowerBound) to \(range.upperBound), got \(value)")
        }
    }
}
