package import NIOCore
package import Tensors

/// The bytes of an answer, handed out piece by piece as the client takes them: what is large is not copied whole, and
/// each part is released when it is through.
package struct ByteParts: Sendable {
    package enum Part: Sendable {
        case bytes([UInt8])
        case buffer(TensorBuffer)

        var byteCount: Int {
            switch self {
            case .bytes(let bytes): bytes.count
            case .buffer(let buffer): buffer.byteCount
            }
        }

        func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
            switch self {
            case .bytes(let bytes): bytes.withUnsafeBytes(body)
            case .buffer(let buffer): buffer.withUnsafeBytes(body)
            }
        }
    }

    private var parts: ArraySlice<Part>
    /// Bytes of the first part that are handed out.
    private var offset = 0
    /// Bytes that are not handed out yet.
    package private(set) var byteCount: Int

    package init(_ parts: [Part]) {
        self.parts = parts[...]
        byteCount = parts.reduce(0) { $0 + $1.byteCount }
    }

    /// The next bytes, at most so many; empty at the end.
    package mutating func next(_ most: Int, _ allocator: ByteBufferAllocator) -> ByteBuffer {
        var piece = allocator.buffer(capacity: min(most, byteCount))
        take(most, into: &piece)
        return piece
    }

    /// Puts the next bytes, at most so many, behind those that a piece has already.
    package mutating func take(_ most: Int, into piece: inout ByteBuffer) {
        var left = most
        while left > 0, let part = parts.first {
            let count = min(left, part.byteCount - offset)
            part.withUnsafeBytes { bytes in
                _ = piece.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count]))
            }
            offset += count
            left -= count
            byteCount -= count
            if offset == part.byteCount {
                parts = parts.dropFirst()
                offset = 0
            }
        }
    }
}
