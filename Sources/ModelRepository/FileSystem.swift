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
    static func kind(_ path: String) -> Kind? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return .file
        case S_IFDIR: return .folder
        default: return .other
        }
    }

    /// The path without links, `.` and `..`.
    ///
    /// - Throws: `notFound` where there is nothing.
    static func realPath(_ path: String) throws(HalcyonError) -> String {
        guard let resolved = realpath(path, nil) else { throw failure(path, "resolve") }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The names in a folder, sorted, without those that begin with a dot or are not UTF-8.
    static func names(in folder: String) throws(HalcyonError) -> [String] {
        guard let directory = opendir(folder) else { throw failure(folder, "read folder") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let name, !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    /// A file's bytes.
    ///
    /// - Throws: `invalidArgument` where it has more than `most`.
    static func read(_ path: String, most: Int) throws(HalcyonError) -> [UInt8] {
        guard kind(path) == .file else {
            if kind(path) == nil { throw failure(path, "read") }
            throw HalcyonError(.invalidArgument, "'\(path)' is not a file")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, "read") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(path, "read")
            }
            if count == 0 { return bytes }
            bytes += buffer[0..<count]
            guard bytes.count <= most else {
                throw HalcyonError(.invalidArgument, "'\(path)' has more than \(most) bytes")
            }
        }
    }

    /// Checks that a path lies inside a folder once links are resolved; both must exist.
    ///
    /// - Parameter root: without links, as ``realPath(_:)`` gives it.
    static func confine(_ path: String, to root: String) throws(HalcyonError) {
        let resolved = try realPath(path)
        guard resolved == root || resolved.hasPrefix(root == "/" ? "/" : root + "/") else {
            throw HalcyonError(
                .invalidArgument, "'\(path)' leads to '\(resolved)', which is outside of the model repository '\(root)'")
        }
    }

    private static func failure(_ path: String, _ what: String) -> HalcyonError {
        let number = errno
        return HalcyonError(
            number == ENOENT || number == ENOTDIR ? .notFound : .internal,
            "failed to \(what) '\(path)': \(String(cString: strerror(number)))")
    }
}
