internal import ModelRuntime
package import Tensors
internal import Threads

/// Where a model's inputs lie for its workers: memory that the server makes and writes, and that is told to each worker
/// once.
package final class InputMemory: MemoryProvider, Sendable {
    /// A piece of it, as long as something in the server refers to it.
    struct Piece: Sendable {
        let number: UInt64
        let memory: SharedSegment
    }

    private struct State {
        /// By the address of the first byte.
        var pieces: [UInt: Piece] = [:]
        var nextNumber: UInt64 = 1
        /// The pieces that each worker knows, and those of them that are gone.
        var known: [UInt64: Set<UInt64>] = [:]
        var gone: [UInt64: [UInt64]] = [:]
        /// Kept for requests that come alone.
        var spare: [TensorStorage] = []
    }

    private let state = Locked(State())
    /// Pieces kept for requests that come alone.
    private static let spareCount = 16
    /// Bytes of them: what is larger goes with its request.
    private static let spareBytes = 256 << 20

    package init() {}

    // MARK: Memory

    package func storage(byteCount: Int, in placement: MemoryPlacement) throws(HalcyonError) -> TensorStorage {
        let memory = try SharedSegment.make(byteCount: byteCount)
        state.withLock { state in
            state.pieces[UInt(bitPattern: memory.start)] = Piece(number: state.nextNumber, memory: memory)
            state.nextNumber += 1
        }
        return TensorStorage(owning: memory.start, byteCount: memory.byteCount) { [weak self] _ in
            // The address is nobody else's before the piece is off the table: it holds the mapping.
            withExtendedLifetime(memory) { self?.forget(memory) }
        }
    }

    /// Memory of at least that size that nobody refers to.
    func take(byteCount: Int) throws(HalcyonError) -> TensorStorage {
        let (found, dropped) = state.withLock { state -> (TensorStorage?, TensorStorage?) in
            var smallest: Int?
            for index in state.spare.indices where isKnownUniquelyReferenced(&state.spare[index]) {
                if state.spare[index].byteCount >= byteCount { return (state.spare[index], nil) }
                smallest = index
            }
            guard let smallest, state.spare.count >= Self.spareCount else { return (nil, nil) }
            return (nil, state.spare.remove(at: smallest))
        }
        // What goes takes the lock itself.
        withExtendedLifetime(dropped) {}
        if let found { return found }
        let made = try storage(byteCount: byteCount, in: .cpu)
        state.withLock { state in
            let held = state.spare.reduce(0) { $0 + $1.byteCount }
            if state.spare.count < Self.spareCount, held <= Self.spareBytes - made.byteCount {
                state.spare.append(made)
            }
        }
        return made
    }

    package func inputStorage(byteCount: Int) -> TensorStorage? { try? take(byteCount: byteCount) }

    /// Lets go of what is kept.
    func removeAll() {
        let spare = state.withLock { state in
            defer { state.spare = [] }
            return state.spare
        }
        withExtendedLifetime(spare) {}
    }

    private func forget(_ memory: SharedSegment) {
        state.withLock { state in
            guard let piece = state.pieces.removeValue(forKey: UInt(bitPattern: memory.start)) else { return }
            for worker in state.known.keys where state.known[worker]?.remove(piece.number) != nil {
                state.gone[worker, default: []].append(piece.number)
            }
        }
    }

    // MARK: What workers know

    /// Which piece some bytes lie in; `nil` for other memory.
    func piece(of buffer: TensorBuffer) -> Piece? {
        state.withLock { $0.pieces[UInt(bitPattern: buffer.storage.baseAddress)] }
    }

    /// What a worker must be told before it gets a message that speaks of these pieces. The message must be sent.
    func enroll(_ pieces: [Piece], for worker: UInt64) -> (new: [Piece], gone: [UInt64]) {
        state.withLock { state in
            var new: [Piece] = []
            for piece in pieces where state.known[worker, default: []].insert(piece.number).inserted {
                new.append(piece)
            }
            return (new, state.gone.removeValue(forKey: worker) ?? [])
        }
    }

    /// A worker has ended.
    func leave(_ worker: UInt64) {
        state.withLock { state in
            state.known[worker] = nil
            state.gone[worker] = nil
        }
    }

    /// Pieces that there are.
    package var count: Int { state.withLock { $0.pieces.count } }
}
