public import Tensors

/// The name of a model: one that is the name of a folder, and can be nothing else.
public struct ModelName: Hashable, Sendable, Comparable {
    /// Bytes in the longest name; the longest that common file systems take.
    public static let maximumByteCount = 255

    /// The name itself.
    public let rawValue: String

    /// - Throws: `invalidArgument` for a name that is empty or too long, that begins with a dot, or that has a slash, a
    ///   backslash or a control character in it.
    public init(_ rawValue: String) throws(HalcyonError) {
        let isFolderName =
            !rawValue.isEmpty && rawValue.utf8.first != UInt8(ascii: ".")
            && rawValue.utf8.count <= Self.maximumByteCount
            && !rawValue.unicodeScalars.contains { Self.isControl($0) || $0 == "/" || $0 == "\\" }
        guard isFolderName else {
            guard !rawValue.isEmpty else {
                throw HalcyonError(.invalidArgument, "Model name cannot be empty: it is the name of the model's folder")
            }
            let shown = String(rawValue.unicodeScalars.prefix(80).map { Self.isControl($0) ? "?" : Character($0) })
            throw HalcyonError(
                .invalidArgument,
                "invalid model name '\(shown)', model name must not contain path traversal characters: a name has 1 "
                    + "to \(Self.maximumByteCount) bytes, no slash, backslash or control character, and does not "
                    + "begin with a dot")
        }
        self.rawValue = rawValue
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
    }

    /// By the characters of the names, as the index is ordered.
    public static func < (left: ModelName, right: ModelName) -> Bool { left.rawValue < right.rawValue }
}

extension ModelName: CustomStringConvertible {
    /// The name itself.
    public var description: String { rawValue }
}
