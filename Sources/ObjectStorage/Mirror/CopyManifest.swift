/// What was put in place of a store's objects: by it one knows later what is still the same.
struct CopyManifest: Hashable {
    struct Entry: Hashable {
        var tag: String
        var stamp: FileStamp
    }

    /// By path below the repository.
    var entries: [String: Entry] = [:]

    init() {}

    private static let title = "halcyon copies 1"

    var text: String {
        let lines = entries.sorted { $0.key < $1.key }.map { path, entry in
            "\(entry.stamp.byteCount)\t\(entry.stamp.modified)\t\(entry.stamp.number)\t\(entry.tag)\t\(path)\n"
        }
        return Self.title + "\n" + lines.joined()
    }

    /// Reads what ``text`` writes. What can't be read is taken to be no copy: it is fetched again.
    init(_ text: String) {
        let lines = text.split(separator: "\n")
        guard lines.first == Self.title[...] else { return }
        for line in lines.dropFirst() {
            let parts = line.split(separator: "\t", maxSplits: 4, omittingEmptySubsequences: false)
            guard parts.count == 5, let size = Int64(parts[0]), let modified = Int64(parts[1]),
                let number = UInt64(parts[2])
            else { continue }
            let stamp = FileStamp(byteCount: size, modified: modified, number: number)
            entries[String(parts[4])] = Entry(tag: String(parts[3]), stamp: stamp)
        }
    }
}

/// A file as far as its size, time and number tell.
struct FileStamp: Hashable, Sendable {
    var byteCount: Int64
    /// Nanoseconds since 1970.
    var modified: Int64
    /// The file system's own.
    var number: UInt64
}

/// What lies in the folder, by path below the repository.
struct LocalTree: Hashable, Sendable {
    var files: [String: FileStamp] = [:]
    var folders: Set<String> = []
}
