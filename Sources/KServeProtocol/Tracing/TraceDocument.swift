private import Glibc

/// A file with one JSON list that grows. It is whole after every step, and stays so where a step fails: what is new is
/// written behind the list's end, and only then the end is moved.
struct TraceDocument {
    let path: String
    private var descriptor: Int32 = -1
    private var length = 0

    init(path: String) { self.path = path }

    /// Adds members, separated by commas, to the list.
    ///
    /// - Returns: 0, or the errno of what failed; then the file is as it was.
    mutating func append(_ members: [UInt8]) -> Int32 {
        guard descriptor >= 0 else { return begin(members) }
        let failure = write(members + [UInt8(ascii: "]")], at: length)
        guard failure == 0, write([UInt8(ascii: ",")], at: length - 1) == 0 else {
            ftruncate(descriptor, length)
            return failure == 0 ? EIO : failure
        }
        length += members.count + 1
        return 0
    }

    private mutating func begin(_ members: [UInt8]) -> Int32 {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return errno }
        let failure = write([UInt8(ascii: "[")] + members + [UInt8(ascii: "]")], at: 0)
        guard failure == 0 else {
            var status = stat()
            let isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            Glibc.close(descriptor)
            descriptor = -1
            // Half a beginning is no document.
            if isFile { unlink(path) }
            return failure
        }
        length = members.count + 2
        return 0
    }

    /// - Parameter newPath: what the file is called from now on.
    mutating func close(as newPath: String? = nil) {
        guard descriptor >= 0 else { return }
        _ = write([UInt8(ascii: "\n")], at: length)
        Glibc.close(descriptor)
        descriptor = -1
        if let newPath { rename(path, newPath) }
    }

    private func write(_ bytes: [UInt8], at offset: Int) -> Int32 {
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, offset + done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count < 0 ? errno : ENOSPC }
            done += count
        }
        return 0
    }
}
