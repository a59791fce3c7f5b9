internal import NIOCore
internal import Tensors
internal import Transport

/// The messages of a call that wait to be written, in pieces that are made when the connection has room for them.
struct GRPCOutbound {
    struct Piece {
        var bytes: ByteBuffer
        /// Whether the client is watched until it has taken it.
        var isWatched: Bool
        /// To be called when it has been sent, with the last piece of a message.
        var whenSent: (@Sendable () -> Void)?
    }

    private struct Waiting {
        var parts: ByteParts
        let isWatched: Bool
        let whenSent: (@Sendable () -> Void)?
    }

    private var waiting = CircularBuffer<Waiting>(initialCapacity: 1)

    /// A piece takes little of an event loop's time.
    private static let pieceSize = 64 << 10

    var isEmpty: Bool { waiting.isEmpty }

    mutating func add(_ frame: GRPCFrame, isWatched: Bool, whenSent: (@Sendable () -> Void)?) {
        waiting.append(Waiting(parts: frame.parts, isWatched: isWatched, whenSent: whenSent))
    }

    /// The next piece to write; `nil` where nothing waits.
    mutating func next(_ allocator: ByteBufferAllocator) -> Piece? {
        guard !waiting.isEmpty else { return nil }
        let index = waiting.startIndex
        let bytes = waiting[index].parts.next(Self.pieceSize, allocator)
        guard waiting[index].parts.byteCount == 0 else {
            return Piece(bytes: bytes, isWatched: waiting[index].isWatched)
        }
        let last = waiting.removeFirst()
        return Piece(bytes: bytes, isWatched: last.isWatched, whenSent: last.whenSent)
    }

    /// Forgets what waits: nobody takes it any more.
    mutating func drop() {
        let gone = waiting
        waiting = CircularBuffer()
        for message in gone { message.whenSent?() }
    }
}
