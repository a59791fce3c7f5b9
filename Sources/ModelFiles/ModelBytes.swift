private import CPlatform
private import Glibc
package import Tensors

/// A file's bytes as the system maps them. They stay valid as long as this does, also where another process makes the
/// file smaller meanwhile.
package final class ModelBytes {
    package let path: String
    package let bytes: UnsafeRawBufferPointer

    /// - Throws: `notFound` or `invalidArgument` with the path and the reason; also for an empty file.
    package init(path: String) throws(HalcyonError) {
        self.path = path
        // Without O_NONBLOCK a pipe of that name would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.failure(path, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.failure(path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw HalcyonError(.invalidArgument, "'\(path)' is not a file")
        }
        guard status.st_size > 0, let size = Int(exactly: status.st_size) else {
            throw HalcyonError(.invalidArgument, "'\(path)' is empty: expected a model")
        }
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw Self.failure(path, errno)
        }
        guard halcyon_guard_mapping(start, size) == 0 else {
            munmap(start, size)
            throw HalcyonError(.unavailable, "'\(path)' can't be read: too many files are mapped")
        }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
    }

    deinit {
        let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
        if let start { halcyon_unguard_mapping(start) }
        munmap(start, bytes.count)
    }

    private static func failure(_ path: String, _ number: Int32) -> HalcyonError {
        HalcyonError(
            number == ENOENT || number == ENOTDIR ? .notFound : .invalidArgument,
            "failed to read '\(path)': \(String(cString: strerror(number)))")
    }

    /// The bytes as they begin, for comparing with a mark.
    package func begins(with mark: String, at offset: Int = 0) -> Bool {
        let mark = Array(mark.utf8)
        guard offset <= bytes.count, mark.count <= bytes.count - offset else { return false }
        return bytes[offset..<offset + mark.count].elementsEqual(mark)
    }
}
