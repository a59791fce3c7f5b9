internal import Tensors

/// What an archive holds at a place in it.
struct ArchiveEntry: Hashable {
    enum Kind: Hashable {
        case file
        case folder
        /// A link, a device and the like.
        case other
    }

    var path: String
    var kind: Kind
    var byteCount: Int64

    /// The path without `./` in front and a slash behind it; empty for the root.
    var plainPath: String {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false)[...]
        while parts.first == "." { parts.removeFirst() }
        while parts.last?.isEmpty == true { parts.removeLast() }
        return parts.joined(separator: "/")
    }
}

/// Takes what is in an archive, entry by entry.
protocol ArchiveVisitor {
    /// - Returns: whether its content is wanted.
    mutating func begin(_ entry: ArchiveEntry) throws(HalcyonError) -> Bool
    /// A part of the content of the entry that was begun last.
    mutating func write(_ bytes: ArraySlice<UInt8>) throws(HalcyonError)
    /// The entry's content is complete.
    mutating func end() throws(HalcyonError)
}
