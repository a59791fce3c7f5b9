private import Glibc

/// Memory with an owner: freed, by whatever it came from, when the last slice that refers to it goes.
///
/// The bytes are written by whoever made the storage, before anybody else sees it, and only read after that; this
/// hand-over is what makes it safe to share.
public final class TensorStorage: @unchecked Sendable {
    /// The alignment of memory that `allocate` gives out, in bytes: a cache line and an AVX-512 register.
    public static let alignment = 64

    /// The first byte. For an empty buffer it may not be dereferenced.
    public let baseAddress: UnsafeMutableRawPointer
    /// The number of bytes.
    public let byteCount: Int
    /// Where the bytes are: only those of ``MemoryPlacement/cpu`` and of page-locked memory may be read through the
    /// address.
    public let placement: MemoryPlacement
    /// Whether other processes may write to it at any time: what is read twice may be two things.
    public let isShared: Bool
    /// What copies the bytes, where the processor can't read them itself.
    package let device: (any DeviceMemory)?
    private let release: @Sendable (UnsafeMutableRawPointer) -> Void
    /// What the memory belongs to, and stays for as long as this does; `nil` where `release` says all.
    package let owner: (any AnyObject & Sendable)?

    /// Takes over memory that something else made.
    ///
    /// - Parameters:
    ///   - baseAddress: the first byte.
    ///   - byteCount: how many bytes there are.
    ///   - placement: where they live.
    ///   - isShared: whether other processes may write to them at any time.
    ///   - release: called once with the address, on any thread, when nothing refers to the storage any more.
    public init(
        owning baseAddress: UnsafeMutableRawPointer, byteCount: Int, placement: MemoryPlacement = .cpu,
        isShared: Bool = false, release: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
    ) {
        self.baseAddress = baseAddress
        self.byteCount = byteCount
        self.placement = placement
        self.isShared = isShared
        self.release = release
        device = nil
        owner = nil
    }

    /// Memory that is part of something else, which it keeps.
    package init(
        partOf owner: any AnyObject & Sendable, at baseAddress: UnsafeMutableRawPointer, byteCount: Int,
        placement: MemoryPlacement
    ) {
        self.baseAddress = baseAddress
        self.byteCount = byteCount
        self.placement = placement
        isShared = false
        release = { _ in }
        device = nil
        self.owner = owner
    }

    /// Takes over memory of a device, which frees it.
    package init(
        owning baseAddress: UnsafeMutableRawPointer, byteCount: Int, placement: MemoryPlacement,
        device: any DeviceMemory, release: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
    ) {
        self.baseAddress = baseAddress
        self.byteCount = byteCount
        self.placement = placement
        isShared = false
        self.release = release
        self.device = device
        owner = nil
    }

    /// Uninitialised memory of this process, aligned to ``alignment``.
    public static func allocate(byteCount: Int) -> TensorStorage {
        let pointer = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 1), alignment: alignment)
        return TensorStorage(owning: pointer, byteCount: byteCount) { $0.deallocate() }
    }

    /// As ``allocate(byteCount:)``, where somebody else says how many bytes there shall be.
    ///
    /// - Throws: `unavailable` where the system has not that much memory.
    package static func reserve(byteCount: Int) throws(HalcyonError) -> TensorStorage {
        var pointer: UnsafeMutableRawPointer?
        guard posix_memalign(&pointer, alignment, max(byteCount, 1)) == 0, let pointer else {
            throw exhausted(byteCount)
        }
        return TensorStorage(owning: pointer, byteCount: byteCount) { free($0) }
    }

    static func exhausted(_ byteCount: Int) -> HalcyonError {
        HalcyonError(.unavailable, "the system has no memory for \(byteCount) bytes: try again later")
    }

    deinit { release(baseAddress) }
}
