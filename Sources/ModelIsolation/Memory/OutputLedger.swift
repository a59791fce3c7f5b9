/// What the server knows of an instance's memory with outputs: which pieces there are, and which its clients read at
/// the moment. As a value: whatever the worker says is checked here.
struct OutputLedger<Memory> {
    private struct Piece {
        var memory: Memory
        var byteCount: Int
        var isLent = false
    }

    private var pieces: [UInt64: Piece] = [:]
    private var byteCount = 0
    private let byteLimit: Int
    private let countLimit: Int

    /// - Parameters:
    ///   - byteLimit: bytes of all pieces together.
    ///   - countLimit: pieces at a time.
    init(byteLimit: Int, countLimit: Int = 64) {
        self.byteLimit = byteLimit
        self.countLimit = countLimit
    }

    var count: Int { pieces.count }

    /// Whether another piece may come.
    func check(_ segment: WireSegment) throws(ProtocolFault) {
        guard segment.byteCount > 0, segment.byteCount <= byteLimit - byteCount else {
            throw ProtocolFault(
                "a piece of memory of \(segment.byteCount) bytes beside \(byteCount), where \(byteLimit) are allowed "
                    + "in all"
            )
        }
        guard pieces.count < countLimit else { throw ProtocolFault("more than \(countLimit) pieces of memory") }
        guard pieces[segment.number] == nil else {
            throw ProtocolFault("a second piece of memory with the number \(segment.number)")
        }
    }

    /// Takes in a piece that was checked.
    mutating func admit(_ segment: WireSegment, _ memory: Memory) {
        pieces[segment.number] = Piece(memory: memory, byteCount: segment.byteCount)
        byteCount += segment.byteCount
    }

    /// The worker has let go of a piece.
    mutating func drop(_ number: UInt64) throws(ProtocolFault) {
        guard let piece = pieces[number] else { throw ProtocolFault("no piece of memory has the number \(number)") }
        guard !piece.isLent else { throw ProtocolFault("memory \(number) is taken away while it is read") }
        pieces[number] = nil
        byteCount -= piece.byteCount
    }

    /// Lends a piece for the outputs of a batch.
    mutating func lend(_ number: UInt64) throws(ProtocolFault) -> Memory {
        guard let piece = pieces[number] else { throw ProtocolFault("no piece of memory has the number \(number)") }
        guard !piece.isLent else { throw ProtocolFault("memory \(number) is written while it is read") }
        pieces[number]?.isLent = true
        return piece.memory
    }

    /// Nobody reads it any more.
    mutating func giveBack(_ number: UInt64) { pieces[number]?.isLent = false }
}
