private import CPlatform
private import Glibc
internal import Tensors

/// Memory that two processes have: a file without a name, of a size that is fixed for ever.
final class SharedSegment: Sendable {
    let descriptor: Int32
    let byteCount: Int
    nonisolated(unsafe) let start: UnsafeMutableRawPointer

    private init(descriptor: Int32, byteCount: Int, start: UnsafeMutableRawPointer) {
        self.descriptor = descriptor
        self.byteCount = byteCount
        self.start = start
    }

    /// Makes memory that this process writes, and others only read where the system can see to that.
    ///
    /// - Throws: `unavailable` where the system has none.
    static func make(byteCount: Int) throws(HalcyonError) -> SharedSegment {
        let size = rounded(byteCount)
        let descriptor = halcyon_memory_make(size)
        guard descriptor >= 0 else { throw failure(size, -descriptor) }
        guard let start = halcyon_memory_map(descriptor, size, true) else {
            defer { close(descriptor) }
            throw failure(size, errno)
        }
        let memory = SharedSegment(descriptor: descriptor, byteCount: size, start: start)
        let failure = halcyon_memory_seal(descriptor, true)
        guard failure == 0 else { throw Self.failure(size, failure) }
        return memory
    }

    /// Takes over memory that another process has made, to be read.
    ///
    /// - Parameter byteCount: as many bytes as it is said to have.
    /// - Throws: where its size is another, or may change.
    static func taken(_ descriptor: Int32, byteCount: Int) throws(ProtocolFault) -> SharedSegment {
        let size = halcyon_memory_sealed_size(descriptor)
        guard size > 0, size == byteCount else {
            close(descriptor)
            throw ProtocolFault(
                size < 0
                    ? "what came in place of shared memory is no memory, or its size is not fixed"
                    : "shared memory has \(size) bytes, and was said to have \(byteCount)")
        }
        guard let start = halcyon_memory_map(descriptor, byteCount, false) else {
            close(descriptor)
            throw ProtocolFault(
                "shared memory of \(byteCount) bytes can't be mapped: \(String(cString: strerror(errno)))")
        }
        return SharedSegment(descriptor: descriptor, byteCount: byteCount, start: start)
    }

    deinit {
        munmap(start, byteCount)
        close(descriptor)
    }

    /// Whole pages, and with 12 % to spare where it is larger, so that batches of nearly the same size find room.
    private static func rounded(_ byteCount: Int) -> Int {
        let page = 4096
        let wanted = max(byteCount, page)
        let (roomy, overflow) = wanted.addingReportingOverflow(wanted / 8 + page - 1)
        return (overflow ? wanted : roomy) / page * page
    }

    private static func failure(_ byteCount: Int, _ number: Int32) -> HalcyonError {
        HalcyonError(
            .unavailable,
            "the system has no shared memory of \(byteCount) bytes: \(String(cString: strerror(number)))")
    }
}
