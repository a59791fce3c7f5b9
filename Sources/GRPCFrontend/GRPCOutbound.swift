internal import NIOCore
internal import Tensors
internal import Transport

/// The messages of a call that wait to be written, in pieces that are made when the connection has room for them: a
/// long message in several, and several short ones in one.
struct GRPCOutbound {
    struct Piece {
        var bytes: ByteBuffer
        /// Whether the client is watched until it has taken it.
        var isWatched: Bool
        /// Of the messages that end with it.
        fileprivate(set) var notices: [@Sendable () -> Void] = []

        /// To be called when it has been sent, with the last piece of a message.
        var whenSent: (@Sendable () -> Void)? {
            guard !notices.isEmpty else { return nil }
            return { [notices] in for notice in notices { notice() } }
        }
    }

    private struct Waiting {
        var parts: ByteParts
        let isWatched: Bool
        let whenSent: (@Sendable () -> Void)?
    }

    private var waiting = CircularBuffer<Waiting>(initialCapacity: 2)

    /// A piece takes little of an event loop's time.
    private static let pieceSize = 64 << 10

    var isEmpty: Bool { waiting.isEmpty }

    mutating func add(_ frame: GRPCFrame, isWatched: Bool, whenSent: (@Sendable () -> Void)?) {
        waiting.append(Waiting(parts: frame.parts, isWatched: isWatched, whenSent: whenSent))
    }

    /// The next piece to write; `nil` where nothing waits.
    mutating func next(_ allocator: ByteBufferAllocator) -> Piece? {
        guard let first = waiting.first else { return nil }
        let isWatched = first.isWatched
        var piece = Piece(
            bytes: allocator.buffer(capacity: min(Self.pieceSize, first.parts.byteCount)), isWatched: isWatched)
        repeat {
            let index = waiting.startIndex
            waiting[index].parts.take(Self.pieceSize - piece.bytes.readableBytes, into: &piece.bytes)
            guard waiting[index].parts.byteCount == 0 else { return piece }
            if let notice = waiting.removeFirst().whenSent { piece.notices.append(notice) }
        } while waiting.first.map({
            $0.isWatched == isWatched && $0.parts.byteCount <= Self.pieceSize - piece.bytes.readableBytes
        }) ?? false
        return piece
    }

    /// Forgets what waits: nobody takes it any more.
    mutating func drop() {
        guard !waiting.isEmpty else { return }
        let gone = waiting
        waiting.removeAll()
        for message in gone { message.whenSent?() }
    }
}
