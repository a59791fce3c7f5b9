package import NIOCore
package import Tensors

extension BodyCollector {
    /// - Throws: as ``append(_:)`` for bytes.
    package mutating func append(_ chunk: ByteBuffer) throws(HalcyonError) {
        do {
            try chunk.withUnsafeReadableBytes { try append($0) }
        } catch {
            throw HalcyonError(wrapping: error)
        }
    }
}
