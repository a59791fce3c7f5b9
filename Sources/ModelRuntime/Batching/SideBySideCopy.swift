private import Synchronization
internal import Tensors
private import Threads

/// Copies the processor's memory with several threads at once.
///
/// One core of a machine with a GPU copies 8 GB a second and the GPU reads 50: one thread takes longer to put a batch
/// together than it takes on its way there and in the engine.
struct SideBySideCopy {
    /// What one thread copies at a time.
    struct Piece: Equatable, Sendable {
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
    /// 50 MB take 6.3, 3.1, 1.6 and 1.1 ms with 1, 2, 4 and 8 threads, and another millisecond to the GPU; more than
    /// four would be missing elsewhere.
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
    ///
    /// The threads are the calling one and some that it starts, which takes a hundredth of the time: they keep to its
    /// processors and its memory, as a host policy wants it.
    func run(_ parts: [TensorBuffer], to target: TensorStorage) {
        let work = Work(pieces: pieces, parts: parts, target: target)
        var others: [WorkerThread] = []
        for _ in 1..<min(Self.threads, pieces.count) {
            // Where the system has no thread to give, those that there are do more.
            guard let thread = try? WorkerThread(name: "gather", { work.run() }) else { break }
            others.append(thread)
        }
        work.run()
        for thread in others { thread.join() }
    }

    private final class Work: Sendable {
        private let pieces: [Piece]
        private let parts: [TensorBuffer]
        private let target: TensorStorage
        private let next = Atomic<Int>(0)

        init(pieces: [Piece], parts: [TensorBuffer], target: TensorStorage) {
            self.pieces = pieces
            self.parts = parts
            self.target = target
        }

        /// Copies pieces that nobody else has taken, until there are none.
        func run() {
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
