private import CPlatform
internal import Tensors

/// The requests that have ended workers: as a value. One that has done so twice is refused for a while. Times are
/// nanoseconds.
struct Poison {
    private struct Entry {
        var kills = 0
        var last: UInt64
    }

    /// How long a request is remembered after it ended a worker.
    static let memory: UInt64 = 600_000_000_000
    /// Times that a request may end a worker.
    private static let patience = 2
    /// Requests that are remembered at a time.
    private static let most = 1024

    private var entries: [UInt64: Entry] = [:]

    /// Whether requests have to be looked at at all.
    var isEmpty: Bool { entries.isEmpty }

    mutating func killed(_ fingerprint: UInt64, now: UInt64) {
        forget(now)
        if entries.count >= Self.most, let oldest = entries.min(by: { $0.value.last < $1.value.last })?.key {
            entries[oldest] = nil
        }
        entries[fingerprint, default: Entry(last: now)].kills += 1
        entries[fingerprint]?.last = now
    }

    /// For how many more nanoseconds a request is refused; `nil` where it is not.
    mutating func refusal(_ fingerprint: UInt64, now: UInt64) -> UInt64? {
        forget(now)
        guard let entry = entries[fingerprint], entry.kills >= Self.patience else { return nil }
        return Self.memory - min(Self.memory, now &- entry.last)
    }

    private mutating func forget(_ now: UInt64) { entries = entries.filter { now &- $0.value.last < Self.memory } }

    /// A number for what a request brings: names, types, shapes and bytes.
    ///
    /// - Throws: what a device says whose memory the bytes are in.
    static func fingerprint(_ inputs: [Tensor]) throws(HalcyonError) -> UInt64 {
        var hash = UInt64(HALCYON_HASH_START)
        for input in inputs {
            let text = "\(input.name)|\(input.elementType.rawValue)|\(input.shape)|"
            hash = text.utf8.withContiguousStorageIfAvailable { halcyon_hash(hash, $0.baseAddress, $0.count) } ?? hash
            let data = try input.data.onHost()
            hash = data.withUnsafeBytes { halcyon_hash(hash, $0.baseAddress, $0.count) }
        }
        return hash
    }
}
