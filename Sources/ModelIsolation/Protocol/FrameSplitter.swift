package import Tensors

/// Cuts what comes through a socket into frames, each the length of its body, 4 bytes, and the body: as a value.
package struct FrameSplitter {
    /// Bytes of the longest body.
    package static let longest = 256 << 20

    private var waiting: [UInt8] = []
    private var body: TensorStorage?
    private var filled = 0
    private let limit: Int

    /// - Parameter limit: bytes of the longest body that is taken.
    package init(limit: Int = Self.longest) { self.limit = limit }

    /// Where the next bytes of the body that is begun go; `nil` where its length is not known yet.
    ///
    /// Memory is taken as bytes come, so that a length alone costs nothing.
    mutating func room() -> UnsafeMutableRawBufferPointer? {
        guard let body else { return nil }
        return UnsafeMutableRawBufferPointer(start: body.baseAddress + filled, count: body.byteCount - filled)
    }

    /// Whether nothing of a next frame has come.
    var isBetweenFrames: Bool { body == nil && waiting.isEmpty }

    /// Takes in bytes that were read apart from ``room()``.
    package mutating func take(_ bytes: UnsafeRawBufferPointer) { waiting.append(contentsOf: bytes) }

    /// So many bytes have been written to ``room()``.
    mutating func filled(_ count: Int) { filled += count }

    /// The next whole body; `nil` where more must come.
    ///
    /// - Throws: for a length that is nobody's.
    package mutating func next() throws(ProtocolFault) -> TensorBuffer? {
        if body == nil {
            guard waiting.count >= 4 else { return nil }
            let length = waiting.withUnsafeBytes { Int(UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self))) }
            guard length > 0, length <= limit else {
                throw ProtocolFault("a message of \(length) bytes, where 1 to \(limit) are allowed")
            }
            let storage = TensorStorage.allocate(byteCount: length)
            let count = min(length, waiting.count - 4)
            waiting.withUnsafeBytes { bytes in
                UnsafeMutableRawBufferPointer(start: storage.baseAddress, count: count)
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[4..<4 + count]))
            }
            waiting.removeFirst(4 + count)
            (body, filled) = (storage, count)
        }
        guard let whole = body, filled == whole.byteCount else { return nil }
        body = nil
        filled = 0
        return TensorBuffer(whole)
    }
}
