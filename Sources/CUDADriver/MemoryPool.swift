internal import Tensors
internal import Threads

/// Memory that costs much to come by, kept for the next who needs some. Bounded; what it does not have, others must
/// give.
package final class MemoryPool: Sendable {
    /// What a pool has, in bytes.
    package struct Usage: Hashable, Sendable {
        /// What it may reserve.
        package var limit: Int
        package var reserved: Int
        package var used: Int
    }

    /// A part of it, given out.
    struct Block: @unchecked Sendable {
        let address: UnsafeMutableRawPointer
        fileprivate let part: SegmentPool.Part
    }

    private struct State: @unchecked Sendable {
        var parts: SegmentPool
        var addresses: [Int: UnsafeMutableRawPointer] = [:]

        mutating func take(_ byteCount: Int) -> Block? {
            guard let part = parts.take(byteCount: byteCount), let start = addresses[part.segment] else { return nil }
            return Block(address: start + part.offset, part: part)
        }
    }

    private let state: Locked<State>
    private let reserve: @Sendable (Int) -> UnsafeMutableRawPointer?
    private let release: @Sendable (UnsafeMutableRawPointer) -> Void

    /// - Parameters:
    ///   - limit: bytes that may be reserved; 0 for no pool.
    ///   - reserve: gives that many bytes; `nil` where there are no more.
    ///   - release: takes them back.
    init(
        limit: Int, reserve: @escaping @Sendable (Int) -> UnsafeMutableRawPointer?,
        release: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
    ) {
        state = Locked(State(parts: SegmentPool(limit: limit)))
        self.reserve = reserve
        self.release = release
    }

    deinit { for address in state.withLock({ $0.addresses.values.map { $0 } }) { release(address) } }

    package var usage: Usage {
        state.withLock {
            Usage(limit: $0.parts.limit, reserved: $0.parts.reservedBytes, used: $0.parts.usedBytes)
        }
    }

    /// That many bytes; `nil` where the pool is full.
    func take(byteCount: Int) -> Block? {
        state.withLock { state in
            if let block = state.take(byteCount) { return block }
            guard let size = state.parts.segmentByteCount(for: byteCount) else { return nil }
            // Without room for a whole segment there may be some for what is needed.
            let least = (max(1, byteCount) + SegmentPool.granule - 1) / SegmentPool.granule * SegmentPool.granule
            for size in size == least ? [size] : [size, least] {
                guard let address = reserve(size) else { continue }
                state.addresses[state.parts.add(byteCount: size)] = address
                return state.take(byteCount)
            }
            return nil
        }
    }

    func give(_ block: Block) { state.withLock { $0.parts.give(block.part) } }

    /// Gives back what is reserved and not in use.
    ///
    /// - Returns: whether that was anything.
    @discardableResult
    package func shrink() -> Bool {
        let idle = state.withLock { state in
            state.parts.removeIdle().compactMap { state.addresses.removeValue(forKey: $0) }.map(Address.init)
        }
        for address in idle { release(address.pointer) }
        return !idle.isEmpty
    }

    private struct Address: @unchecked Sendable {
        let pointer: UnsafeMutableRawPointer
    }
}
