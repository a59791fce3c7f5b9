internal import Tensors

/// An input's dimensions without the batch: `-d 3,544,960`, or `-d NAME=3,544,960` for one of several inputs.
package struct InputDimensions: Hashable, Sendable {
    /// Empty for the only input.
    package var input: String
    package var sizes: [Int]

    /// - Throws: `invalidArgument` that shows the flag's value.
    init(_ text: String) throws(HalcyonError) {
        let flag = "-d \(text)"
        guard let sign = text.lastIndex(of: "=") else {
            input = ""
            sizes = try FlagList.sizes(text[...], separator: ",", flag: flag)
            return
        }
        input = String(text[..<sign])
        guard !input.isEmpty else {
            throw HalcyonError(.invalidArgument, "\(flag): expected a name before '='")
        }
        sizes = try FlagList.sizes(text[text.index(after: sign)...], separator: ",", flag: flag)
    }
}
