internal import CPlatform
private import Glibc
package import Tensors

/// A file's size and a sum over its bytes, by which damage and replacement are noticed.
package struct FileChecksum: Hashable, Sendable {
    package var byteCount: Int
    package var sum: UInt64

    package init(byteCount: Int, sum: UInt64) {
        self.byteCount = byteCount
        self.sum = sum
    }

    package init(of bytes: UnsafeRawBufferPointer) {
        byteCount = bytes.count
        sum =
            bytes.baseAddress.map { halcyon_hash(UInt64(HALCYON_HASH_START), $0, bytes.count) }
            ?? UInt64(HALCYON_HASH_START)
    }

    /// Reads the file.
    ///
    /// - Throws: `notFound` or `internal`, with the path and the system's reason.
    package init(ofFile path: String) throws(HalcyonError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw HalcyonError(
                errno == ENOENT ? .notFound : .internal, "'\(path)' can't be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var total = 0
        var hash = UInt64(HALCYON_HASH_START)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw HalcyonError(.internal, "'\(path)' can't be read: \(String(cString: strerror(errno)))")
            }
            if count == 0 { break }
            hash = halcyon_hash(hash, buffer, count)
            total += count
        }
        byteCount = total
        sum = hash
    }
}
