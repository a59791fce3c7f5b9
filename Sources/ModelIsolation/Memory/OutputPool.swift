/// Which pieces of shared memory a worker's instance has for outputs, and which of them the server still reads: as a
/// value.
struct OutputPool<Memory> {
    struct Piece {
        let number: UInt64
        let byteCount: Int
        let memory: Memory
        fileprivate(set) var isLent = false
    }

    /// What becomes of outputs that need memory.
    enum Choice {
        /// They go into a piece that the server knows.
        case reuse(Piece)
        /// They need a piece of their own, if the pieces below are let go of first.
        case make(number: UInt64, dropped: [UInt64])
        /// They go with the message, as the server holds all that there may be.
        case none
    }

    /// Pieces at most.
    static var most: Int { 32 }
    /// Pieces that are kept although nobody reads them.
    private static var spare: Int { 4 }

    private(set) var pieces: [Piece] = []
    private var nextNumber: UInt64 = 1
    private let byteLimit: Int

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// Chooses where so many bytes go.
    mutating func choose(_ byteCount: Int) -> Choice {
        let free = pieces.indices.filter { !pieces[$0].isLent && pieces[$0].byteCount >= byteCount }
        if let best = free.min(by: { pieces[$0].byteCount < pieces[$1].byteCount }) {
            pieces[best].isLent = true
            return .reuse(pieces[best])
        }
        // None that is free is large enough: the smaller ones make room.
        var dropped: [UInt64] = []
        while let index = pieces.firstIndex(where: { !$0.isLent }),
            pieces.filter({ !$0.isLent }).count >= Self.spare || pieces.count >= Self.most
                || held(byteCount) > byteLimit
        {
            dropped.append(pieces.remove(at: index).number)
        }
        guard pieces.count < Self.most, held(byteCount) <= byteLimit else {
            // What has been let go of is told with this message all the same.
            self.dropped += dropped
            return .none
        }
        defer { nextNumber += 1 }
        return .make(number: nextNumber, dropped: dropped)
    }

    /// What was let go of and not told yet.
    private(set) var dropped: [UInt64] = []

    mutating func takeDropped() -> [UInt64] {
        defer { dropped = [] }
        return dropped
    }

    private func held(_ more: Int) -> Int {
        pieces.reduce(more) { sum, piece in
            let (total, overflow) = sum.addingReportingOverflow(piece.byteCount)
            return overflow ? .max : total
        }
    }

    /// A piece has been made, and is lent with the next message.
    mutating func made(_ number: UInt64, byteCount: Int, _ memory: Memory) {
        pieces.append(Piece(number: number, byteCount: byteCount, memory: memory, isLent: true))
    }

    /// The server reads them no more.
    mutating func released(_ numbers: [UInt64]) {
        for index in pieces.indices where numbers.contains(pieces[index].number) { pieces[index].isLent = false }
    }
}
