/// What to do so that a folder has what a store has. A pure function of the two and of what was copied before.
struct CopyPlan: Hashable {
    struct Fetch: Hashable, Sendable {
        var path: String
        var object: StoredObject
    }

    /// What to fetch, in the order in which it is put in place: what lies deepest first, a model's configuration last.
    private(set) var fetches: [Fetch] = []
    /// Folders that are not there, outer ones first.
    private(set) var folders: [String] = []
    /// Files that are no longer in the store.
    private(set) var removedFiles: [String] = []
    /// The same of folders, inner ones first.
    private(set) var removedFolders: [String] = []
    /// What stays.
    private(set) var kept = CopyManifest()

    var isEmpty: Bool { fetches.isEmpty && folders.isEmpty && removedFiles.isEmpty && removedFolders.isEmpty }

    var byteCount: Int64 { fetches.reduce(0) { $0 &+ $1.object.byteCount } }

    init(from unit: RemoteTree.Unit, to local: LocalTree, manifest: CopyManifest) {
        for (path, object) in unit.files {
            if let entry = manifest.entries[path], entry.tag == object.tag, !object.tag.isEmpty,
                entry.stamp == local.files[path], entry.stamp.byteCount == object.byteCount
            {
                kept.entries[path] = entry
            } else {
                fetches.append(Fetch(path: path, object: object))
            }
        }
        fetches.sort { (-Self.depth($0.path), $0.path) < (-Self.depth($1.path), $1.path) }
        folders = unit.folders.subtracting(local.folders).sorted()
        removedFiles = local.files.keys.filter { unit.files[$0] == nil }.sorted()
        removedFolders = local.folders.subtracting(unit.folders).sorted { ($1.utf8.count, $1) < ($0.utf8.count, $0) }
    }

    private static func depth(_ path: String) -> Int { path.utf8.count { $0 == UInt8(ascii: "/") } }
}
