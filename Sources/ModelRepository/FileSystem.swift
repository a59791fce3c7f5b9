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

    /// Whether something may be at a path that can't be looked at now: for lack of a permission, of a descriptor, or of
    /// the machine that has the file.
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
        (try entries(of: folder, most: .max) ?? []).compactMap { $0 }.filter { $0.utf8.first != UInt8(ascii: ".") }
            .sorted()
    }

    /// All names in a folder but `.` and `..`; `nil` for one that is not UTF-8.
    ///
    /// - Returns: `nil` where there are more than `most`.
    static func entries(of folder: String, most: Int) throws(HalcyonError) -> [String?]? {
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
            guard name != ".", name != ".." else { continue }
            guard entries.count < most else { return nil }
            entries.append(name)
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

    /// A path from the root on, with links as they are: what a link leads to is looked up when it is needed.
    static func absolutePath(_ path: String) throws(HalcyonError) -> String {
        let whole = path.utf8.first == UInt8(ascii: "/") ? path : "\(try realPath("."))/\(path)"
        // By code points, as a slash and an accent behind it are one character.
        let parts = whole.unicodeScalars.split(separator: "/").map(String.init).filter { $0 != "." }
        return "/" + parts.joined(separator: "/")
    }

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
                    + "outside of its repository; where the links are your own, --follow-links has them followed")
        }
        return resolved
    }

    /// Whether one path without links is another or lies below it. Byte by byte: two names that are equal to a reader,
    /// such as an accented letter in one piece and in two, are two folders.
    static func isInside(_ path: String, _ root: String) -> Bool {
        let (path, root) = (Array(path.utf8), Array(root.utf8))
        return path == root || path.starts(with: root.last == UInt8(ascii: "/") ? root : root + [UInt8(ascii: "/")])
    }

    static func failure(_ path: String, _ what: String, _ number: Int32) -> HalcyonError {
        HalcyonError(.internal, "failed to \(what) '\(path)': \(String(cString: strerror(number)))")
    }
}
