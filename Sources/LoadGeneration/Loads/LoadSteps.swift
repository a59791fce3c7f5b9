package import Tensors

/// Several loads in one text: `1,2,4,8`, `1:64:x2` (each twice the one before), `10:200:10` (each ten more).
package enum LoadSteps {
    /// Loads that one command measures.
    private static let limit = 1000

    /// - Parameter flag: what the complaint speaks of, `--concurrency` for instance.
    /// - Throws: `invalidArgument` for a text that is no such list.
    package static func parse(_ text: String, flag: String) throws(HalcyonError) -> [Double] {
        var values: [Double] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            values += try range(String(part), flag: flag)
            guard values.count <= limit else {
                throw HalcyonError(.invalidArgument, "\(flag) '\(text)' names over \(limit) loads: take larger steps")
            }
        }
        return values
    }

    /// The same for what is counted.
    ///
    /// - Throws: `invalidArgument` also for a value that is not whole.
    package static func counts(_ text: String, flag: String) throws(HalcyonError) -> [Int] {
        var counts: [Int] = []
        for value in try parse(text, flag: flag) {
            guard let count = Int(exactly: value), count <= 65536 else {
                throw HalcyonError(
                    .invalidArgument, "\(flag) takes whole numbers from 1 to 65536, got \(Figures.short(value))")
            }
            counts.append(count)
        }
        return counts
    }

    private static func range(_ text: String, flag: String) throws(HalcyonError) -> [Double] {
        let fault = HalcyonError(
            .invalidArgument,
            "\(flag) takes numbers over 0 such as 1,2,4,8, or first:last:step such as 10:200:10 or 1:64:x2, got "
                + "'\(text)'"
        )
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 3, let first = Double(parts[0]), first > 0, first.isFinite else { throw fault }
        guard parts.count > 1 else { return [first] }
        guard let last = Double(parts[1]), last >= first, last.isFinite else { throw fault }
        let step = parts.count == 3 ? parts[2] : "1"
        let isFactor = step.hasPrefix("x") || step.hasPrefix("*")
        guard let size = Double(isFactor ? String(step.dropFirst()) : step), size.isFinite, size > (isFactor ? 1 : 0)
        else { throw fault }
        var values: [Double] = []
        var value = first
        // A hair more than the last, as sums of fractions are not exact.
        while value <= last * (1 + 1e-9), values.count <= limit {
            values.append(value)
            value = isFactor ? value * size : first + size * Double(values.count)
        }
        return values
    }
}
