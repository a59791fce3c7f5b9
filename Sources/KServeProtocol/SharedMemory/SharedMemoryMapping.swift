private import CPlatform
private import Glibc
internal import Tensors

/// A part of a POSIX shared memory object in this process's memory, until nobody refers to it any more.
final class SharedMemoryMapping: Sendable {
    /// The bytes of the part.
    let storage: TensorStorage
    private let descriptor: Int32
    /// The object's size that the part needs.
    private let end: Int

    init(key: String, offset: Int, byteCount: Int, region: String) throws(HalcyonError) {
        let (end, overflow) = offset.addingReportingOverflow(byteCount)
        let invalid = HalcyonError(
            .invalidArgument, "failed to register shared memory region '\(region)': invalid args")
        guard !overflow else { throw invalid }
        try SharedMemoryKey.check(key, region: region)
        let descriptor = shm_open(key, O_RDWR | O_CLOEXEC, 0)
        guard descriptor >= 0 else { throw SharedMemoryKey.failure(key, errno) }
        guard Self.size(descriptor) >= end,
            let address = mmap(nil, end, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), address != MAP_FAILED
        else {
            close(descriptor)
            throw invalid
        }
        guard halcyon_guard_mapping(address, end) == 0 else {
            munmap(address, end)
            close(descriptor)
            throw HalcyonError(.unavailable, "no more regions of shared memory can be registered")
        }
        self.descriptor = descriptor
        self.end = end
        storage = TensorStorage(owning: address + offset, byteCount: byteCount, isShared: true) { start in
            halcyon_unguard_mapping(start - offset)
            munmap(start - offset, end)
        }
    }

    deinit { close(descriptor) }

    /// Whether the object still is as large as it was; behind its end there are zeros.
    var isIntact: Bool { Self.size(descriptor) >= end }

    private static func size(_ descriptor: Int32) -> Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }
}
