internal import Tensors

/// The sizes that an input may have: `-p <input>,<min>,<opt>,<max>`, each with the batch and `x` between the
/// dimensions.
package struct ShapeProfile: Hashable, Sendable {
    package var input: String
    package var minimum: [Int]
    package var optimum: [Int]
    package var maximum: [Int]

    init(input: String, minimum: [Int], optimum: [Int], maximum: [Int]) {
        self.input = input
        self.minimum = minimum
        self.optimum = optimum
        self.maximum = maximum
    }

    /// - Throws: `invalidArgument` that shows the flag's value.
    init(_ text: String) throws(HalcyonError) {
        // A name may have commas in it; the last three parts are sizes.
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count >= 4, !parts[0].isEmpty else {
            throw HalcyonError(
                .invalidArgument,
                "-p: expected <input>,<min>,<opt>,<max>, input_1,1x3x544x960,8x3x544x960,16x3x544x960 for instance, "
                    + "got '\(text)'")
        }
        let flag = "-p \(text)"
        input = parts.dropLast(3).joined(separator: ",")
        minimum = try FlagList.sizes(parts[parts.count - 3], separator: "x", flag: flag)
        optimum = try FlagList.sizes(parts[parts.count - 2], separator: "x", flag: flag)
        maximum = try FlagList.sizes(parts[parts.count - 1], separator: "x", flag: flag)
        guard minimum.count == optimum.count, optimum.count == maximum.count else {
            throw HalcyonError(
                .invalidArgument,
                "\(flag): the three sizes have \(minimum.count), \(optimum.count) and \(maximum.count) dimensions, and "
                    + "must have equally many")
        }
        for index in minimum.indices
        where minimum[index] > optimum[index] || optimum[index] > maximum[index] {
            throw HalcyonError(
                .invalidArgument,
                "\(flag): dimension \(index) goes from \(minimum[index]) over \(optimum[index]) to "
                    + "\(maximum[index]), and must not fall")
        }
    }
}
