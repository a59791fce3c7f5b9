private import Dispatch
internal import Synchronization
internal import Tensors

/// Copies the processor's memory with several threads at once.
///
/// One core of a machine with a GPU copies 8 GB a second and the GPU reads 50: one thread takes longer to put a batch
/// together than it takes on its way there and in the engine.
struct SideBySideCopy {
    /// What one thread copies at a time.
    struct Piece: Equatable {
        /// The part that it belongs to.
        var part: Int
        /// Bytes from the part's start.
        var offset: Int
        /// Bytes from the target's start.
        var target: Int
        var byteCount: Int
    }

    /// Below this the threads cost more to wake than they save.
    private static let leastByteCount = 2 << 20
    private static let pieceByteCount = 1 << 20
    /// Four threads come up to the bus (6.3, 3.1, 1.6 and 1.1 ms for 50 MB with 1, 2, 4 and 8, of which the GPU takes
    /// another millisecond); more would be missing elsewhere.
    private static let threads = 4

    let pieces: [Piece]

    /// - Parameter byteCounts: how long the parts are, one after another in the target.
    /// - Returns: `nil` for so few bytes that one thread does as well.
    init?(byteCounts: [Int]) {
        guard byteCounts.reduce(0, +) >= Self.leastByteCount else { return nil }
        var pieces: [Piece] = []
        var target = 0
        for (part, byteCount) in byteCounts.enumerated() {
            for offset in stride(from: 0, to: byteCount, by: Self.pieceByteCount) {
                pieces.append(
                    Piece(
                        part: part, offset: offset, target: target + offset,
                        byteCount: min(Self.pieceByteCount, byteCount - offset)))
            }
            target += byteCount
        }
        self.pieces = pieces
    }

    /// Copies the parts, all of them in memory that the processor has, and returns when all are there.
    func run(_ parts: [TensorBuffer], to target: TensorStorage) {
        let next = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: min(Self.threads, pieces.count)) { _ in
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < pieces.count else { return }
                let piece = pieces[index]
                (target.baseAddress + piece.target).copyMemory(
                    from: parts[piece.part].baseAddress + piece.offset, byteCount: piece.byteCount)
            }
        }
    }
}
