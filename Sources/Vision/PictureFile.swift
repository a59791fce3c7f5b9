private import Glibc
internal import Tensors

/// Reading and writing whole files.
enum PictureFile {
    /// - Throws: an error that names the file and says why it can't be read.
    static func read(_ path: String, most: Int) throws(HalcyonError) -> [UInt8] {
        // A pipe that nobody writes to would block for ever; that it is no file is found below.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(.notFound, path, "can't be read") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(.internal, path, "can't be read") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw PictureDecoder.fault(path, "is not a file") }
        guard status.st_size <= most else {
            throw PictureDecoder.fault(path, "has \(status.st_size) bytes; at most \(most) are read")
        }
        let size = Int(status.st_size)
        var count = 0
        var isComplete = true
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
            while count < size {
                let more = Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, size - count)
                if more < 0, errno == EINTR { continue }
                if more <= 0 {
                    isComplete = more == 0
                    break
                }
                count += more
            }
            initialized = count
        }
        guard isComplete else { throw failure(.internal, path, "can't be read") }
        return bytes
    }

    /// Writes under a temporary name beside the file and renames it, so that nobody sees half a file.
    static func write(_ bytes: [UInt8], to path: String) throws(HalcyonError) {
        let temporary = "\(path).\(getpid()).partial"
        guard let file = fopen(temporary, "we") else { throw failure(.internal, path, "can't be written") }
        let count = fwrite(bytes, 1, bytes.count, file)
        let isClosed = fclose(file) == 0
        guard count == bytes.count, isClosed, rename(temporary, path) == 0 else {
            let error = failure(.internal, path, "can't be written")
            unlink(temporary)
            throw error
        }
    }

    private static func failure(_ code: HalcyonError.Code, _ path: String, _ what: String) -> HalcyonError {
        HalcyonError(code, "the picture '\(path)' \(what): \(String(cString: strerror(errno)))")
    }
}
