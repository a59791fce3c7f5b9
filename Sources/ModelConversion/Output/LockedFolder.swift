private import Glibc
internal import Tensors

/// A folder of this conversion's own, with a lock in it that lasts as long as the conversion: one that nobody holds was
/// left behind by one that was killed, on whatever machine and in whatever container.
struct LockedFolder {
    let path: String
    private let descriptor: Int32

    private enum Attempt {
        case held(Int32)
        /// Somebody has it, or it is gone.
        case lost
        case failed(Int32)
    }

    /// Makes a new one, whose name is the prefix and something random.
    init(prefix: String) throws(HalcyonError) {
        while true {
            let path = try Self.makeFolder(prefix)
            switch Self.lock(path, creating: true) {
            case .held(let descriptor):
                self.path = path
                self.descriptor = descriptor
                return
            // Another conversion has taken it for abandoned before it was locked.
            case .lost: continue
            case .failed(let number):
                Files.removeTree(path)
                throw Files.failure("lock", path, number)
            }
        }
    }

    /// Takes over one that was left behind, which then is this process's.
    ///
    /// - Returns: `nil` where it is in use, or another user's.
    init?(abandoned path: String) {
        guard Files.ownKind(path) == .folder, Files.owner(path) == geteuid() else { return nil }
        // Empty, it was left before it had a lock; or it is about to get one, and is then made again.
        if rmdir(path) == 0 { return nil }
        guard case .held(let descriptor) = Self.lock(path, creating: false) else { return nil }
        self.path = path
        self.descriptor = descriptor
    }

    func remove() {
        Files.removeTree(path)
        if descriptor >= 0 { close(descriptor) }
    }

    private static func makeFolder(_ prefix: String) throws(HalcyonError) -> String {
        guard let template = strdup(prefix + "XXXXXX") else { throw Files.failure("make the folder", prefix, ENOMEM) }
        defer { free(template) }
        guard let made = mkdtemp(template) else { throw Files.failure("make the folder", prefix, errno) }
        return String(cString: made)
    }

    private static func lock(_ folder: String, creating: Bool) -> Attempt {
        let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (creating ? O_CREAT : 0)
        let descriptor = open("\(folder)/lock", flags, 0o600)
        guard descriptor >= 0 else { return errno == ENOENT ? .lost : .failed(errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let number = errno
            close(descriptor)
            if number == EWOULDBLOCK || number == EINTR { return .lost }
            // A file system without locks: what is left behind there stays.
            return creating ? .held(-1) : .failed(number)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_nlink > 0 else {
            close(descriptor)
            return .lost
        }
        return .held(descriptor)
    }
}
