private import CPlatform
private import Glibc
package import Tensors

/// A repository that is not the operator's: of files that a request brought, or of single model files where they lie.
/// It is a folder that only this user may enter, and goes with the value. Where the process ends before that, the next
/// one finds it: a file in it is locked as long as it is used.
package final class PrivateRepository: Sendable {
    private static let prefix = "halcyon-model-"
    private static let lockName = ".lock"
    package static let parent = P_tmpdir

    package let path: String
    private let lock: Int32

    /// A repository with one model, made of these files.
    ///
    /// - Throws: `invalidArgument` for a path that leads out of the model's folder; `internal` where the file system
    ///   refuses.
    init(
        model: ModelName, files: [String: TensorBuffer], in parent: String = PrivateRepository.parent
    ) throws(HalcyonError) {
        (path, lock) = try Self.makeLocked(in: parent)
        // What is thrown from here on has the folder removed: a value that is complete is released.
        let root = "\(path)/\(model)"
        try Self.makeFolder(root)
        for (name, content) in files.sorted(by: { $0.key < $1.key }) {
            try Self.write(content, to: name, in: root)
        }
    }

    /// A repository with a model for each of these files, or folders, which stay where they are: the version folder is
    /// a link to the folder that the file lies in, so that an engine finds beside it what belongs to it.
    ///
    /// - Throws: as ``SingleModelFile/named(_:)``; `internal` where the file system refuses.
    package init(
        modelFiles: [String], in parent: String = PrivateRepository.parent
    ) throws(HalcyonError) {
        let models = try SingleModelFile.named(modelFiles)
        (path, lock) = try Self.makeLocked(in: parent)
        for model in models {
            let root = "\(path)/\(model.name)"
            try Self.makeFolder(root)
            try Self.write(TensorBuffer(copying: Array(model.configuration.utf8)), to: "config.pbtxt", in: root)
            guard symlink(model.folder, "\(root)/1") == 0 else { throw Self.failure("\(root)/1") }
        }
    }

    /// A repository with an empty folder for a model, to be filled.
    ///
    /// - Throws: `invalidArgument` for what is no model's name; `internal` where the file system refuses.
    package init(emptyModel model: String, in parent: String = PrivateRepository.parent) throws(HalcyonError) {
        let name = try ModelName(model)
        (path, lock) = try Self.makeLocked(in: parent)
        try Self.makeFolder("\(path)/\(name)")
    }

    /// A repository with one model, which lies in a folder elsewhere.
    ///
    /// - Throws: as ``init(emptyModel:in:)``.
    init(
        linking model: String, to folder: String, in parent: String = PrivateRepository.parent
    ) throws(HalcyonError) {
        let name = try ModelName(model)
        (path, lock) = try Self.makeLocked(in: parent)
        guard symlink(folder, "\(path)/\(name)") == 0 else { throw Self.failure("\(path)/\(name)") }
    }

    deinit {
        Self.remove(path)
        close(lock)
    }

    // MARK: What processes have left

    /// A new folder, and what holds its lock.
    private static func makeLocked(in parent: String) throws(HalcyonError) -> (path: String, lock: Int32) {
        // Another process may take a folder for a left one before it is locked, and remove it.
        for _ in 0..<10 {
            var template = Array("\(parent)/\(prefix)XXXXXX".utf8CString)
            let made = template.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
            }
            guard let made else { throw failure(parent) }
            let lock = open("\(made)/\(lockName)", O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            var status = stat()
            if lock >= 0, flock(lock, LOCK_EX | LOCK_NB) == 0, fstat(lock, &status) == 0, status.st_nlink > 0 {
                return (made, lock)
            }
            let number = errno
            if lock >= 0 { close(lock) }
            remove(made)
            if lock < 0, number != ENOENT { throw failure("\(made)/\(lockName)", number) }
        }
        throw HalcyonError(.internal, "no folder in '\(parent)' can be locked")
    }

    /// Removes what this user's processes have left that ended before they could.
    ///
    /// - Returns: the folders that are gone.
    @discardableResult
    package static func removeLeftovers(in parent: String = PrivateRepository.parent) -> [String] {
        let names = (try? FileSystem.names(in: parent)) ?? []
        return names.filter { $0.hasPrefix(prefix) }.map { "\(parent)/\($0)" }.filter { path in
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid() else {
                return false
            }
            let lock = open("\(path)/\(lockName)", O_RDWR | O_NOFOLLOW | O_CLOEXEC)
            // One without a lock is about to get it, or is of an earlier version and nobody knows whose.
            guard lock >= 0 else { return false }
            defer { close(lock) }
            guard flock(lock, LOCK_EX | LOCK_NB) == 0 else { return false }
            remove(path)
            return true
        }
    }

    // MARK: Files

    private static func write(_ content: TensorBuffer, to name: String, in root: String) throws(HalcyonError) {
        var folder = root
        let parts = name.split(separator: "/")
        for part in parts.dropLast() {
            folder += "/\(part)"
            try makeFolder(folder)
        }
        let path = "\(root)/\(name)"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        let isComplete = content.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
        guard isComplete else { throw failure(path) }
    }

    private static func makeFolder(_ path: String) throws(HalcyonError) {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure(path) }
    }

    private static func failure(_ path: String, _ number: Int32 = errno) -> HalcyonError {
        HalcyonError(.internal, "'\(path)' can't be written: \(String(cString: strerror(number)))")
    }

    /// Removes a folder with all that is in it, without following links.
    private static func remove(_ path: String) {
        _ = halcyon_remove_tree(path)
    }
}
