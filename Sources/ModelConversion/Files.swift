private import CPlatform
internal import Glibc
internal import Tensors

/// The little that a conversion does with files. Each error names the path and the system's reason.
enum Files {
    enum Kind {
        case file
        case folder
        case other
    }

    static func failure(_ what: String, _ path: String, _ number: Int32) -> HalcyonError {
        let code: HalcyonError.Code =
            switch number {
            case ENOENT, ENOTDIR: .notFound
            case EACCES, EPERM, EROFS: .invalidArgument
            default: .internal
            }
        return HalcyonError(code, "can't \(what) '\(path)': \(String(cString: strerror(number)))")
    }

    /// What lies at a path, behind links; `nil` for nothing.
    static func kind(_ path: String) -> Kind? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        default: .other
        }
    }

    /// What lies at a path itself, a link being `other`.
    static func ownKind(_ path: String) -> Kind? {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        default: .other
        }
    }

    /// The user that what lies at a path itself belongs to.
    static func owner(_ path: String) -> uid_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_uid : nil
    }

    static func byteCount(_ path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(exactly: status.st_size) : nil
    }

    static func isExecutable(_ path: String) -> Bool { kind(path) == .file && access(path, X_OK) == 0 }

    /// The path without links, `.` and `..`.
    static func realPath(_ path: String) throws(HalcyonError) -> String {
        guard !path.utf8.contains(0) else {
            throw HalcyonError(.invalidArgument, "a path can't have a zero byte in it")
        }
        guard let resolved = realpath(path, nil) else { throw failure("find", path, errno) }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The path from the root on, whether there is something or not.
    static func absolutePath(_ path: String) throws(HalcyonError) -> String {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw HalcyonError(.invalidArgument, "a path can't be empty or have a zero byte in it")
        }
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        if path.hasPrefix("/") { return path }
        guard let folder = getcwd(nil, 0) else { throw failure("find the current folder of", path, errno) }
        defer { free(folder) }
        return String(cString: folder) + "/" + path
    }

    static func lastName(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    /// The folder that a path lies in.
    static func parent(_ path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The names in a folder but `.` and `..`, sorted; empty where it can't be read.
    static func names(in folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Makes a folder and those above it.
    ///
    /// - Returns: the folders that were not there, from the top down.
    @discardableResult
    static func makeFolders(_ path: String, mode: mode_t = 0o777) throws(HalcyonError) -> [String] {
        var missing: [String] = []
        var here = path
        while kind(here) == nil, here != "/", here != "." {
            missing.append(here)
            here = parent(here)
        }
        missing.reverse()
        for (index, folder) in missing.enumerated() {
            if mkdir(folder, mode) != 0, errno != EEXIST {
                let number = errno
                for made in missing[..<index].reversed() { rmdir(made) }
                throw failure("make the folder", folder, number)
            }
        }
        guard kind(path) == .folder else {
            throw HalcyonError(.invalidArgument, "'\(path)' is there and is not a folder")
        }
        return missing
    }

    static func removeTree(_ path: String) {
        if ownKind(path) == .folder { _ = halcyon_remove_tree(path) } else { unlink(path) }
    }

    static func rename(_ source: String, _ destination: String) throws(HalcyonError) {
        guard Glibc.rename(source, destination) == 0 else { throw failure("write", destination, errno) }
    }

    /// Makes what was written to a file or a folder last through a loss of power.
    static func synchronise(_ path: String) throws(HalcyonError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("write", path, errno) }
        defer { close(descriptor) }
        // A file system that can't do it for folders says EINVAL.
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure("write", path, errno) }
    }

    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o666) throws(HalcyonError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("write", path, errno) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure("write", path, errno)
            }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw failure("write", path, errno) }
    }

    /// A small file's text; `nil` where it can't be read or has more bytes.
    static func text(_ path: String, most: Int = 1 << 20) -> String? {
        guard kind(path) == .file, let stream = fopen(path, "re") else { return nil }
        defer { fclose(stream) }
        var bytes = [UInt8](repeating: 0, count: most + 1)
        let count = fread(&bytes, 1, bytes.count, stream)
        return count <= most ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
