/// Where the bytes of a buffer live.
public enum MemoryPlacement: Hashable, Sendable {
    /// Ordinary memory of the process.
    case cpu
    /// Page-locked memory of the process, which a GPU reads without a staging copy.
    case pinned
    /// The memory of the GPU with that number.
    case gpu(Int)

    /// Whether the processor may read and write the bytes through a pointer.
    public var isHostAccessible: Bool {
        switch self {
        case .cpu, .pinned: true
        case .gpu: false
        }
    }
}
