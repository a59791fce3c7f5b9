internal import Tensors

/// The head of an `.etlt`: a 32-bit little-endian length, the name of the model's input, and then the encrypted model.
/// An empty name says that the model is ONNX; otherwise it is UFF.
package struct EncryptedContainer: Hashable, Sendable {
    package var inputName: String
    /// Where the encrypted model begins.
    package var payloadOffset: Int

    /// The longest name that is believed.
    static let maximumNameLength = 1024
    /// A cipher's block, which the shortest encrypted model has.
    private static let minimumPayload = 16

    /// - Throws: `invalidArgument` that says which number can't be right.
    init(_ bytes: UnsafeRawBufferPointer, path: String) throws(HalcyonError) {
        guard bytes.count >= 4 else {
            throw HalcyonError(
                .invalidArgument,
                "'\(path)' is no .etlt: it has \(bytes.count) bytes, and the length at its beginning alone takes 4")
        }
        let length = UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self))
        guard let count = Int(exactly: length), count <= Self.maximumNameLength else {
            throw HalcyonError(
                .invalidArgument,
                "'\(path)' is no .etlt, or is damaged: it says that its input's name has \(length) bytes, and at most "
                    + "\(Self.maximumNameLength) are believed")
        }
        let (offset, overflow) = count.addingReportingOverflow(4)
        guard !overflow, offset <= bytes.count, bytes.count - offset >= Self.minimumPayload else {
            throw HalcyonError(
                .invalidArgument,
                "'\(path)' is cut short: behind its head of \(4 + count) bytes an encrypted model is expected, and the "
                    + "file has \(bytes.count) bytes")
        }
        guard let name = String(validating: bytes[4..<offset], as: UTF8.self),
            !name.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
        else {
            throw HalcyonError(
                .invalidArgument, "'\(path)' is no .etlt, or is damaged: the name of its input is no text")
        }
        inputName = name
        payloadOffset = offset
    }
}
