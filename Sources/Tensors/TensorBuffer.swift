/// A run of bytes inside a ``TensorStorage``, which it keeps alive. Copying it copies no bytes.
public struct TensorBuffer: Sendable {
    /// What the bytes are part of.
    public let storage: TensorStorage
    /// Bytes from the storage's start to the first of this run.
    public let offset: Int
    /// The number of bytes.
    public let byteCount: Int

    /// All of a storage.
    public init(_ storage: TensorStorage) {
        self.storage = storage
        self.offset = 0
        self.byteCount = storage.byteCount
    }

    private init(storage: TensorStorage, offset: Int, byteCount: Int) {
        self.storage = storage
        self.offset = offset
        self.byteCount = byteCount
    }

    /// A copy of bytes of this process.
    public init(copying bytes: UnsafeRawBufferPointer) {
        self.init(TensorStorage.allocate(byteCount: bytes.count))
        if let source = bytes.baseAddress { storage.baseAddress.copyMemory(from: source, byteCount: bytes.count) }
    }

    /// A copy of an array's elements, in the machine's byte order.
    public init<Element: BitwiseCopyable>(copying elements: [Element]) {
        self = elements.withUnsafeBytes { TensorBuffer(copying: $0) }
    }

    /// Where the bytes are.
    public var placement: MemoryPlacement { storage.placement }

    /// The address of the first byte; valid while this value or another slice of the storage lives.
    public var baseAddress: UnsafeMutableRawPointer { storage.baseAddress + offset }

    /// A part of this run.
    ///
    /// - Throws: `invalidArgument` where the range reaches outside.
    public func slice(offset: Int, byteCount: Int) throws(HalcyonError) -> TensorBuffer {
        guard offset >= 0, byteCount >= 0, offset <= self.byteCount, byteCount <= self.byteCount - offset else {
            throw HalcyonError(
                .invalidArgument,
                "a slice of \(byteCount) bytes at \(offset) does not lie inside a buffer of \(self.byteCount) bytes")
        }
        return TensorBuffer(storage: storage, offset: self.offset + offset, byteCount: byteCount)
    }

    /// Reads the bytes. Precondition: the placement is host-accessible.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(storage) {
            try body(UnsafeRawBufferPointer(start: storage.baseAddress + offset, count: byteCount))
        }
    }

    /// Whether the two have bytes in common.
    package func overlaps(_ other: TensorBuffer) -> Bool {
        baseAddress < other.baseAddress + other.byteCount && other.baseAddress < baseAddress + byteCount
    }
}
