private import Glibc
internal import Tensors

/// The right to change a folder, which one process has at a time. It goes with the process.
struct FolderLock {
    private let descriptor: Int32

    /// Waits for it, with a word about that.
    ///
    /// - Throws: `cancelled`, or where the folder can't be written.
    init(_ folder: String, console: Console, interrupts: Interrupts) throws(HalcyonError) {
        let path = "\(folder)/.lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Files.failure("write", path, errno) }
        var isWaiting = false
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                let number = errno
                close(descriptor)
                throw Files.failure("lock", path, number)
            }
            if !isWaiting { console.say("waiting for another conversion to set up '\(folder)'") }
            isWaiting = true
            var entry = pollfd(fd: interrupts.descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&entry, 1, 200) > 0 {
                close(descriptor)
                throw Interrupts.error
            }
        }
    }

    func release() { close(descriptor) }
}
