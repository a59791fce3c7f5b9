internal import Tensors

/// What a store has of a repository, by path below it, and parted into what is brought here as one: a model.
struct RemoteTree: Hashable {
    /// What is put in place together.
    struct Unit: Hashable {
        var files: [String: StoredObject] = [:]
        /// Folders that are there whether they have files or not: a version may be an empty folder.
        var folders: Set<String> = []

        var byteCount: Int64 { files.values.reduce(0) { $0 &+ $1.byteCount } }
    }

    /// By the model's name; only that with the empty name where the repository is one model.
    private(set) var units: [String: Unit] = [:]
    /// Keys that no file can have, with the reason.
    private(set) var skipped: [String: String] = [:]

    /// - Parameters:
    ///   - keyPrefix: what all keys begin with.
    ///   - isOneModel: whether the repository is one model; `nil` to see by what it has.
    init(_ objects: [StoredObject], keyPrefix: String, isOneModel: Bool? = nil) {
        var files: [String: StoredObject] = [:]
        var folders: Set<String> = []
        for object in objects {
            guard object.key.utf8.starts(with: keyPrefix.utf8) else { continue }
            let path = String(Substring(object.key.utf8.dropFirst(keyPrefix.utf8.count)))
            // The marker of the repository itself.
            if path.isEmpty { continue }
            let isFolder = path.utf8.last == UInt8(ascii: "/")
            let name = isFolder ? String(path.dropLast()) : path
            if let reason = Self.complaint(name) {
                skipped[object.key] = reason
            } else if isFolder {
                folders.insert(name)
            } else {
                files[name] = object
            }
        }
        for path in files.keys { folders.formUnion(Self.parents(of: path)) }
        for folder in folders { folders.formUnion(Self.parents(of: folder)) }
        for (path, object) in files where folders.contains(path) {
            skipped[object.key] = "there are keys below it, as if it were a folder"
            files[path] = nil
        }
        let top = files.keys.filter { !$0.utf8.contains(UInt8(ascii: "/")) }
        let isOne = isOneModel ?? Self.isOneModel(files: top, folders: Set(folders.map { Self.first(of: $0) }))
        // What lies beside models, or is hidden, is no part of any.
        let name = { (path: String) -> String? in
            if isOne { return "" }
            let first = Self.first(of: path)
            return first.hasPrefix(".") || first == path && files[path] != nil ? nil : first
        }
        for (path, object) in files {
            if let unit = name(path) { units[unit, default: Unit()].files[path] = object }
        }
        for path in folders {
            if let unit = name(path) { units[unit, default: Unit()].folders.insert(path) }
        }
    }

    /// Whether a repository is one model, by what lies in it directly.
    static func isOneModel(files: [String], folders: Set<String>) -> Bool {
        if files.contains("config.pbtxt") || folders.isEmpty { return !files.isEmpty }
        let isVersion = { (name: String) in Int64(name).map { $0 > 0 } ?? false }
        return folders.allSatisfy(isVersion) || folders.contains { $0.hasSuffix(".savedmodel") }
    }

    static func first(of path: String) -> String {
        path.utf8.firstIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? path
    }

    /// `a` and `a/b` of `a/b/c`.
    static func parents(of path: String) -> [String] {
        path.utf8.indices.filter { path.utf8[$0] == UInt8(ascii: "/") }.map { String(path[..<$0]) }
    }

    /// Why no file can have that path; `nil` where one can.
    static func complaint(_ path: String) -> String? {
        guard path.utf8.count <= 2048 else { return "it is longer than 2048 bytes" }
        for part in path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            if part.isEmpty { return "it has two slashes in a row" }
            if part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) { return "it has '.' or '..' in its path" }
            if part.count > 255 { return "a name in it is longer than 255 bytes" }
            if part.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "it has a control character" }
        }
        return nil
    }
}
