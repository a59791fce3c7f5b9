private import Glibc
internal import Tensors

/// The few things that a repository needs of the file system. Every error says which path and why.
enum FileSystem {
    enum Kind {
        case file
        case folder
        case other
    }

    /// What lies at a path, behind links; `nil` for nothing.
    ///
    /// - Throws: where something is there, or may be, that can't be reached: no permission, or a link to nothing.
    static func kind(_ path: String) throws(HalcyonError) -> Kind? {
        guard !path.utf8.contains(0) else {
            throw HalcyonError(
                .invalidArgument, "a path can't have a zero byte in it, as that of \(path.utf8.count) bytes has")
        }
        var status = stat()
        if stat(path, &status) == 0 { return kind(of: status) }
        let number = errno
        guard number == ENOENT || number == ENOTDIR, lstat(path, &status) != 0 else {
            throw failure(path, "stat", number)
        }
        return nil
    }

    /// Whether something may be at a path that can't be looked at now: for want of a permission, of a descriptor, or of the
    /// machine that has the file.
    static func isUnreachable(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) != 0 else { return false }
        return ![ENOENT, ENOTDIR, ELOOP].contains(errno)
    }

    private static func kind(of status: stat) -> Kind {
        switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        default: .other
        }
    }

    /// The path without links, `.` and `..`.
    static func realPath(_ path: String) throws(HalcyonError) -> String {
        guard let resolved = realpath(path, nil) else { throw failure(path, "resolve", errno) }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The names in a folder, sorted, without those that begin with a dot or are not UTF-8.
    static func names(in folder: String) throws(HalcyonError) -> [String] {
        try entries(of: folder).compactMap { $0 }.filter { $0.utf8.first != UInt8(ascii: ".") }.sorted()
    }

    /// All names in a folder but `.` and `..`; `nil` for one that is not UTF-8.
    private static func entries(of folder: String) throws(HalcyonError) -> [String?] {
        guard let directory = opendir(folder) else { throw failure(folder, "read folder", errno) }
        defer { closedir(directory) }
        var entries: [String?] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                guard errno == 0 else { throw failure(folder, "read folder", errno) }
                return entries
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) {
                    String(validatingCString: $0)
                }
            }
            if name != ".", name != ".." { entries.append(name) }
        }
    }

    /// A file's bytes.
    ///
    /// - Throws: `invalidArgument` where it has more than `most`, or is no file.
    static func read(_ path: String, most: Int) throws(HalcyonError) -> [UInt8] {
        // Without O_NONBLOCK a pipe of that name would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(path, "read", errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(path, "read", errno) }
        guard kind(of: status) == .file else { throw HalcyonError(.invalidArgument, "'\(path)' is not a file") }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(path, "read", errno)
            }
            if count == 0 { return bytes }
            bytes += buffer.prefix(count)
            guard bytes.count <= most else {
                throw HalcyonError(.invalidArgument, "'\(path)' has more than \(most) bytes, the most that are read")
            }
        }
    }

    // MARK: Confinement

    /// Checks that a path lies inside a folder once links are resolved; both must exist.
    ///
    /// - Parameter root: without links, as ``realPath(_:)`` gives it.
    /// - Returns: the path without links.
    /// - Throws: `invalidArgument` that names both ends.
    @discardableResult
    static func confine(_ path: String, to root: String) throws(HalcyonError) -> String {
        let resolved = try realPath(path)
        guard isInside(resolved, root) else {
            throw HalcyonError(
                .invalidArgument,
                "'\(path)' leads to '\(resolved)', outside of '\(root)', and nothing that a model consists of may lie "
                    + "outside of its repository")
        }
        return resolved
    }

    /// Whether one path without links is another or lies below it. Byte by byte: two names that are equal to a reader,
    /// such as an accented letter in one piece and in two, are two folders.
    static func isInside(_ path: String, _ root: String) -> Bool {
        let (path, root) = (Array(path.utf8), Array(root.utf8))
        return path == root || path.starts(with: root.last == UInt8(ascii: "/") ? root : root + [UInt8(ascii: "/")])
    }

    /// Checks that no link in a folder, at any depth, leads outside of `root`: an engine opens more than the file that
    /// it is given, such as weights beside it. A link to nothing is left to whoever wants to open it.
    static func confineContents(of folder: String, to root: String) throws(HalcyonError) {
        var waiting = [try realPath(folder)]
        var seen = Set(waiting.map { Array($0.utf8) })
        while let folder = waiting.popLast() {
            for name in try entries(of: folder) {
                guard let name else {
                    throw HalcyonError(.invalidArgument, "a name in the folder '\(folder)' is not UTF-8")
                }
                let path = folder == "/" ? "/\(name)" : "\(folder)/\(name)"
                var status = stat()
                guard lstat(path, &status) == 0 else { throw failure(path, "stat", errno) }
                var target = path
                if status.st_mode & S_IFMT == S_IFLNK {
                    guard stat(path, &status) == 0 else { continue }
                    target = try confine(path, to: root)
                }
                if kind(of: status) == .folder, seen.insert(Array(target.utf8)).inserted { waiting.append(target) }
            }
        }
    }

    /// A number that is another when a name, a size or a time in a folder is, at any depth, behind links too.
    ///
    /// - Parameter isIncluded: whether an entry of the folder itself counts, by its name.
    static func fingerprint(
        of folder: String, where isIncluded: (String) -> Bool = { _ in true }
    ) throws(HalcyonError) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        // FNV-1a: it need not withstand anybody, only notice.
        func mix<Bytes: Sequence<UInt8>>(_ bytes: Bytes) {
            for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        }
        var waiting = [folder]
        var seen: Set<[UInt8]> = []
        while let current = waiting.popLast() {
            guard seen.insert(Array(try realPath(current).utf8)).inserted else { continue }
            for name in try names(in: current) where current != folder || isIncluded(name) {
                let path = "\(current)/\(name)"
                var status = stat()
                guard stat(path, &status) == 0 else { continue }
                mix(path.utf8)
                if kind(of: status) == .folder {
                    waiting.append(path)
                    continue
                }
                for number in [Int64(status.st_size), Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec)] {
                    withUnsafeBytes(of: number) { mix($0) }
                }
            }
        }
        return hash
    }

    private static func failure(_ path: String, _ what: String, _ number: Int32) -> HalcyonError {
        HalcyonError(.internal, "failed to \(what) '\(path)': \(String(cString: strerror(number)))")
    }
}
