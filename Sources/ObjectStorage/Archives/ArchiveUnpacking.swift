internal import Glibc
internal import Tensors

/// Writes what is in an archive into a folder. Links and what would lie outside of it are refused.
struct ArchiveUnpacking: ArchiveVisitor {
    private static let mostEntries = 200_000

    let folder: String
    /// Bytes that all files may take.
    let byteLimit: Int64
    private(set) var files: [String: Int64] = [:]
    private(set) var folders: Set<String> = []
    private var total: Int64 = 0
    private var current = ""
    private var left: Int64 = 0

    init(into folder: String, byteLimit: Int64) {
        self.folder = folder
        self.byteLimit = byteLimit
    }

    mutating func begin(_ entry: ArchiveEntry) throws(HalcyonError) -> Bool {
        let path = entry.plainPath
        if path.isEmpty { return false }
        guard entry.kind != .other else {
            throw HalcyonError(
                .invalidArgument,
                "the archive has a link or a device, '\(UntrustedText.shown(path))', and only files and folders are "
                    + "taken")
        }
        if let reason = RemoteTree.complaint(path) {
            throw HalcyonError(.invalidArgument, "the archive has a name that no file can have: \(reason)")
        }
        guard files.count + folders.count < Self.mostEntries else {
            throw HalcyonError(.invalidArgument, "the archive has more than \(Self.mostEntries) entries")
        }
        let isFile = entry.kind == .file
        for parent in RemoteTree.parents(of: path) + (isFile ? [] : [path]) { folders.insert(parent) }
        let whole = "\(folder)/\(path)"
        guard isFile else {
            try CacheFolder.makeFolders(whole, below: folder)
            return false
        }
        guard files[path] == nil, !folders.contains(path) else {
            throw HalcyonError(.invalidArgument, "the archive has '\(UntrustedText.shown(path))' twice")
        }
        let (sum, overflow) = total.addingReportingOverflow(entry.byteCount)
        guard !overflow, sum <= byteLimit else {
            throw HalcyonError(
                .unavailable, "what is in the archive takes more than \(byteLimit) bytes, for which there is room")
        }
        total = sum
        if let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) {
            try CacheFolder.makeFolders("\(folder)/\(path[..<slash])", below: folder)
        }
        files[path] = entry.byteCount
        (current, left) = (whole, entry.byteCount)
        _ = try CacheFile(whole, keeps: false)
        return true
    }

    mutating func write(_ bytes: ArraySlice<UInt8>) throws(HalcyonError) {
        guard Int64(bytes.count) <= left else {
            throw HalcyonError(.invalidArgument, "a file in the archive is longer than it says")
        }
        left -= Int64(bytes.count)
        var file = try CacheFile(current, keeps: true)
        try file.write(Array(bytes))
    }

    func end() throws(HalcyonError) {
        guard left == 0 else { throw HalcyonError(.invalidArgument, "a file in the archive is shorter than it says") }
    }

    /// The folder in which the models are: the only one in the archive, where it is no model itself; empty for all.
    static func root(files: some Collection<String>, folders: Set<String>) -> String {
        let tops = Set(folders.map { RemoteTree.first(of: $0) })
        guard tops.count == 1, let top = tops.first, files.allSatisfy({ $0.hasPrefix(top + "/") }) else { return "" }
        let isModel =
            files.contains { RemoteTree.parents(of: $0).last == top }
            || folders.contains { $0.hasPrefix(top + "/") && Int64($0.dropFirst(top.count + 1)) != nil }
        return isModel ? "" : top
    }
}
