internal import Tensors

/// Lists in the value of a flag.
enum FlagList {
    /// `3,544,960`.
    static func sizes(_ text: Substring, separator: Character, flag: String) throws(HalcyonError) -> [Int] {
        var sizes: [Int] = []
        for part in text.split(separator: separator, omittingEmptySubsequences: false) {
            guard let size = Int(part), size > 0, part.allSatisfy(\.isNumber) else {
                throw HalcyonError(
                    .invalidArgument, "\(flag): expected sizes over 0 with '\(separator)' between, got '\(text)'")
            }
            sizes.append(size)
        }
        guard sizes.count <= 16 else {
            throw HalcyonError(.invalidArgument, "\(flag): \(sizes.count) dimensions, and 16 is the most")
        }
        try ONNXFile.checkSize(sizes.map { UInt64($0) }, of: "\(flag): the elements of an input")
        return sizes
    }

    /// `0.5,0.5,0.5`.
    static func numbers(_ text: String, flag: String) throws(HalcyonError) -> [Double] {
        var numbers: [Double] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = Double(part), number.isFinite else {
                throw HalcyonError(.invalidArgument, "\(flag): expected numbers with commas between, got '\(text)'")
            }
            numbers.append(number)
        }
        guard numbers.count == 1 || numbers.count == 3 else {
            throw HalcyonError(
                .invalidArgument, "\(flag): expected one number or one for each of 3 channels, got '\(text)'")
        }
        return numbers
    }

    /// Names with commas between, each once.
    static func names(_ text: String, flag: String) throws(HalcyonError) -> [String] {
        guard !text.isEmpty else { return [] }
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard !names.contains("") else {
            throw HalcyonError(.invalidArgument, "\(flag): expected names with commas between, got '\(text)'")
        }
        for (index, name) in names.enumerated() where names[..<index].contains(name) {
            throw HalcyonError(.invalidArgument, "\(flag): '\(name)' is named twice")
        }
        return names
    }
}
