private import CPlatform

/// A limit that the system keeps a process's memory to, whoever has set it.
package enum MemoryBound: Hashable, Sendable {
    case addressSpace(bytes: UInt64)
    case data(bytes: UInt64)

    /// The one that a process has; the smaller one where it has both, `nil` where it has none.
    init?(ofProcess number: Int32) {
        var space: UInt64 = 0
        var data: UInt64 = 0
        guard halcyon_memory_bounds(number, &space, &data), min(space, data) < .max else { return nil }
        self = space <= data ? .addressSpace(bytes: space) : .data(bytes: data)
    }

    var words: String {
        switch self {
        case .addressSpace(let bytes): "its address space is limited to \(bytes >> 20) MiB (RLIMIT_AS)"
        case .data(let bytes): "its data are limited to \(bytes >> 20) MiB (RLIMIT_DATA)"
        }
    }
}
