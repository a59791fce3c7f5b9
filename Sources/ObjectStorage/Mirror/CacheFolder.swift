private import CPlatform
internal import Glibc
internal import Tensors

/// The folder of a repository's copies, and beside it what belongs to copying. Everything in it blocks.
struct CacheFolder: Sendable {
    /// `repository` is what models are read from.
    let root: String
    let repository: String

    init(root: String, name: String) throws(HalcyonError) {
        self.root = root
        repository = "\(root)/\(name)"
        try Self.makeFolders(repository)
        try Self.makeFolders("\(root)/.state")
    }

    private func state(_ unit: String, _ ending: String) -> String {
        // A model's name is one name; a repository that is one model has none.
        "\(root)/.state/\(unit.isEmpty ? ".one" : unit)\(ending)"
    }

    private func partials(_ unit: String) -> String { state(unit, ".partial") }

    func path(_ relative: String) -> String { "\(repository)/\(relative)" }

    // MARK: Locks

    /// A lock that goes with the value: two that copy the same model, in one process or in two, do it one after the
    /// other.
    final class Lock: Sendable {
        private let descriptor: Int32
        fileprivate init(_ descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }
    }

    /// - Returns: `nil` while somebody else has it.
    func lock(_ unit: String) throws(HalcyonError) -> Lock? {
        let path = state(unit, ".lock")
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("open", path) }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return Lock(descriptor) }
        defer { close(descriptor) }
        guard errno == EWOULDBLOCK || errno == EINTR else { throw Self.failure("lock", path) }
        return nil
    }

    // MARK: What is there

    func manifest(_ unit: String) -> CopyManifest {
        guard let bytes = SmallFile.read(state(unit, ".manifest"), most: 256 << 20) else { return CopyManifest() }
        return CopyManifest(String(decoding: bytes, as: UTF8.self))
    }

    func write(_ manifest: CopyManifest, _ unit: String) throws(HalcyonError) {
        let path = state(unit, ".manifest")
        let temporary = path + ".new"
        var file = try CacheFile(temporary, keeps: false)
        try file.write(Array(manifest.text.utf8))
        guard rename(temporary, path) == 0 else { throw Self.failure("rename", temporary) }
    }

    /// The names in the repository.
    func names() -> [String] { Self.names(in: repository) }

    /// What lies in a model's folder, or in the whole repository. A link counts as a file that nobody has copied.
    func tree(_ unit: String) -> LocalTree {
        var tree = LocalTree()
        var waiting = [unit]
        while let folder = waiting.popLast() {
            if !folder.isEmpty { tree.folders.insert(folder) }
            for name in Self.names(in: folder.isEmpty ? repository : path(folder)) {
                let relative = folder.isEmpty ? name : "\(folder)/\(name)"
                var status = stat()
                guard lstat(path(relative), &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFDIR {
                    waiting.append(relative)
                } else {
                    tree.files[relative] = Self.stamp(status)
                }
            }
        }
        // A model that is not there has no folder.
        var status = stat()
        if !unit.isEmpty, lstat(path(unit), &status) != 0 || status.st_mode & S_IFMT != S_IFDIR {
            tree.folders.remove(unit)
            if lstat(path(unit), &status) == 0 { tree.files[unit] = Self.stamp(status) }
        }
        return tree
    }

    private static func stamp(_ status: stat) -> FileStamp {
        FileStamp(
            byteCount: Int64(status.st_size),
            modified: Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec),
            number: UInt64(status.st_ino))
    }

    private static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) {
                    String(validatingCString: $0)
                }
            }
            if let name, name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Bytes that may still be written there.
    func freeBytes() -> Int64? {
        var status = statvfs()
        guard statvfs(root, &status) == 0 else { return nil }
        return Int64(
            clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
    }

    /// Bytes of all copies.
    func byteCount() -> Int64 { tree("").files.values.reduce(0) { $0 &+ $1.byteCount } }

    // MARK: Changes

    /// Where an object's content is collected until it is whole.
    func partial(_ unit: String, _ digest: String) throws(HalcyonError) -> String {
        try Self.makeFolders(partials(unit))
        return "\(partials(unit))/\(digest)"
    }

    /// Removes what is left of copies that were not finished.
    func removePartials(_ unit: String) { _ = halcyon_remove_tree(partials(unit)) }

    func makeFolder(_ relative: String) throws(HalcyonError) { try Self.makeFolders(path(relative), below: repository) }

    /// Puts a whole file in its place, whatever is there.
    func place(_ partial: String, at relative: String) throws(HalcyonError) -> FileStamp {
        let target = path(relative)
        if let slash = relative.utf8.lastIndex(of: UInt8(ascii: "/")) { try makeFolder(String(relative[..<slash])) }
        if rename(partial, target) != 0 {
            guard errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST else {
                throw Self.failure("put in place", target)
            }
            _ = halcyon_remove_tree(target)
            guard rename(partial, target) == 0 else { throw Self.failure("put in place", target) }
        }
        var status = stat()
        guard lstat(target, &status) == 0 else { throw Self.failure("look at", target) }
        return Self.stamp(status)
    }

    func removeFile(_ relative: String) throws(HalcyonError) {
        guard unlink(path(relative)) == 0 || errno == ENOENT || errno == EISDIR || errno == ENOTDIR else {
            throw Self.failure("remove", path(relative))
        }
    }

    static func removeTree(_ path: String) { _ = halcyon_remove_tree(path) }

    func removeFolder(_ relative: String) { _ = halcyon_remove_tree(path(relative)) }

    /// Removes all that belongs to a model.
    func remove(_ unit: String) {
        removeFolder(unit)
        removePartials(unit)
        unlink(state(unit, ".manifest"))
    }

    /// - Parameter below: a folder that is there; a file in the way below it is removed.
    static func makeFolders(_ path: String, below: String? = nil) throws(HalcyonError) {
        for index in path.utf8.indices.dropFirst() where path.utf8[index] == UInt8(ascii: "/") {
            try makeFolder(
                String(path[..<index]), isOwn: below.map { path[..<index].utf8.count > $0.utf8.count } ?? false)
        }
        try makeFolder(path, isOwn: below != nil)
    }

    private static func makeFolder(_ path: String, isOwn: Bool) throws(HalcyonError) {
        if mkdir(path, 0o755) == 0 { return }
        var status = stat()
        let isThere = (isOwn ? lstat(path, &status) : stat(path, &status)) == 0
        if isThere, status.st_mode & S_IFMT == S_IFDIR { return }
        guard isThere, isOwn, unlink(path) == 0, mkdir(path, 0o755) == 0 else { throw failure("make the folder", path) }
    }

    static func failure(_ what: String, _ path: String) -> HalcyonError {
        let number = errno
        let advice =
            [ENOSPC, EDQUOT, EROFS, EACCES, EPERM].contains(number)
            ? "; --model-cache-directory names another folder for copies of models" : ""
        return HalcyonError(.internal, "failed to \(what) '\(path)': \(String(cString: strerror(number)))\(advice)")
    }
}
