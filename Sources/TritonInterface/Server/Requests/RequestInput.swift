internal import ModelRuntime
internal import Tensors

/// An input of a request, as a C program makes it up.
struct RequestInput: Sendable {
    /// Bytes of the program's, which stay where they are.
    struct Piece: @unchecked Sendable {
        /// `nil` for no bytes.
        var base: UnsafeRawPointer?
        var byteCount: Int
        var placement: MemoryPlacement
    }

    let name: String
    /// `nil` for a raw input, of which the model's configuration says what it is.
    let interface: (type: ElementType, shape: TensorShape)?
    /// In the order in which they were appended.
    var pieces: [Piece] = []
    /// Those for the instances of one host policy.
    var piecesByPolicy: [String: [Piece]] = [:]

    /// Instances are chosen after a request is complete, so what is meant for all of them counts; and what is meant for
    /// some where there is nothing else.
    private var effective: [Piece] {
        guard pieces.isEmpty else { return pieces }
        return piecesByPolicy.min { $0.key < $1.key }?.value ?? []
    }

    /// The one that has bytes; `nil` where none has, or several have.
    private static func only(_ pieces: [Piece]) -> Piece? {
        guard let first = pieces.firstIndex(where: { $0.byteCount > 0 }),
            !pieces[(first + 1)...].contains(where: { $0.byteCount > 0 })
        else { return nil }
        return pieces[first]
    }

    /// The input's bytes: where they are if they lie together, else gathered.
    ///
    /// - Parameter lease: kept as long as the program's own bytes are referred to.
    /// - Throws: `invalidArgument` for more bytes than there can be; `unsupported` for pieces in a GPU's memory.
    func data(_ lease: InputLease) throws(HalcyonError) -> TensorBuffer {
        let pieces = effective
        if let piece = Self.only(pieces), let base = piece.base {
            return TensorBuffer(
                TensorStorage(
                    partOf: lease, at: UnsafeMutableRawPointer(mutating: base), byteCount: piece.byteCount,
                    placement: piece.placement))
        }
        var total = 0
        for piece in pieces where piece.byteCount > 0 {
            let (sum, overflow) = total.addingReportingOverflow(piece.byteCount)
            guard !overflow else {
                throw HalcyonError(.invalidArgument, "input '\(name)': its pieces have more bytes than there can be")
            }
            guard piece.placement.isHostAccessible else {
                throw HalcyonError(
                    .unsupported,
                    "input '\(name)' lies in \(pieces.count { $0.byteCount > 0 }) pieces, one of them in \(piece.placement): expected one "
                        + "piece there")
            }
            total = sum
        }
        let storage = TensorStorage.allocate(byteCount: total)
        var next = storage.baseAddress
        for piece in pieces {
            if let base = piece.base { next.copyMemory(from: base, byteCount: piece.byteCount) }
            next += piece.byteCount
        }
        return try TensorBuffer(storage).slice(offset: 0, byteCount: total)
    }
}
