package import Tensors

/// A recorded trace: a line for each request, with the seconds at which it came. What follows behind a blank or a comma
/// is not looked at, empty lines and those that begin with `#` neither. The first request is the start.
package enum ArrivalFile {
    /// - Returns: nanoseconds from the first.
    /// - Throws: `invalidArgument` with the line that is none.
    package static func parse(_ text: String, name: String) throws(HalcyonError) -> [UInt64] {
        var times: [UInt64] = []
        var first = 0.0
        var previous = -Double.infinity
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(whereSeparator: { $0 == "," || $0.isWhitespace })
            guard let word = words.first, !word.hasPrefix("#") else { continue }
            guard let seconds = Double(word), seconds.isFinite, seconds >= 0 else {
                throw HalcyonError(
                    .invalidArgument,
                    "\(name):\(index + 1): expected the seconds at which a request came, got '\(word.prefix(40))'")
            }
            guard seconds >= previous else {
                throw HalcyonError(
                    .invalidArgument,
                    "\(name):\(index + 1): requests are listed in the order in which they came; \(word) is earlier "
                        + "than the one before")
            }
            if times.isEmpty { first = seconds }
            previous = seconds
            guard let time = UInt64(exactly: ((seconds - first) * 1e9).rounded()) else {
                throw HalcyonError(.invalidArgument, "\(name):\(index + 1): \(word) seconds are too many")
            }
            times.append(time)
        }
        guard !times.isEmpty else {
            throw HalcyonError(.invalidArgument, "\(name) has no line with the time of a request")
        }
        return times
    }
}
