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
    /// - Parameters:
    ///   - lease: kept as long as the program's own bytes are referred to.
    ///   - model: for errors.
    /// - Throws: `invalidArgument` for more bytes than there can be; `unavailable` where there is no memory to gather
    ///   them in; `unsupported` for pieces in a GPU's memory.
    func data(_ lease: InputLease, model: String) throws(HalcyonError) -> TensorBuffer {
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
                    "input '\(name)' lies in \(pieces.count { $0.byteCount > 0 }) pieces, one of them in "
                        + "\(piece.placement): expected one piece there")
            }
            total = sum
        }
        if interface?.type == .bytes { try checkLengths(pieces, model: model) }
        let storage = try TensorStorage.reserve(byteCount: total)
        var next = storage.baseAddress
        for piece in pieces {
            if let base = piece.base { next.copyMemory(from: base, byteCount: piece.byteCount) }
            next += piece.byteCount
        }
        return try TensorBuffer(storage).slice(offset: 0, byteCount: total)
    }

    /// Whether the length in front of each text lies in one piece, as it must in Triton; the text itself need not.
    private func checkLengths(_ pieces: [Piece], model: String) throws(HalcyonError) {
        var left = 0
        for piece in pieces {
            guard let base = piece.base else { continue }
            var offset = 0
            while offset < piece.byteCount {
                let rest = piece.byteCount - offset
                guard left == 0 else {
                    let step = min(left, rest)
                    left -= step
                    offset += step
                    continue
                }
                guard rest >= 4 else {
                    throw HalcyonError(
                        .invalidArgument,
                        "incomplete string length indicator for inference input '\(name)' for model '\(model)', "
                            + "expecting 4 bytes but only \(rest) bytes available. Please make sure the string length "
                            + "indicator is in one buffer.")
                }
                left = Int(UInt32(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
                offset += 4
            }
        }
    }
}
