internal import JSONText
internal import ProtobufWire
internal import Tensors

/// Reads the fields of an inference message one after the other, in place, with the errors that clients get.
///
/// Only the inference messages are read this way, to keep their tensors where they are; all others go through the
/// generated code. The bytes must outlive the reader.
struct ProtobufReader {
    typealias Value = ProtobufFields.Value

    private var fields: ProtobufFields

    init(_ message: Slice<UnsafeRawBufferPointer>) { fields = ProtobufFields(message) }

    var isAtEnd: Bool { fields.isAtEnd }

    /// The next field's number and value; `nil` at the end.
    mutating func next() throws(HalcyonError) -> (field: Int, value: Value)? {
        do { return try fields.next() } catch { throw Self.malformed }
    }

    mutating func varint() throws(HalcyonError) -> UInt64 {
        do { return try fields.varint() } catch { throw Self.malformed }
    }

    static var malformed: HalcyonError {
        HalcyonError(.internal, "the message is not well-formed protobuf")
    }
}

/// What a value should be.
extension ProtobufFields.Value {
    func content() throws(HalcyonError) -> Slice<UnsafeRawBufferPointer> {
        guard case .bytes(let bytes) = self else { throw ProtobufReader.malformed }
        return bytes
    }

    func message() throws(HalcyonError) -> ProtobufReader { ProtobufReader(try content()) }

    /// Where its bytes lie in the outermost message.
    func range() throws(HalcyonError) -> Range<Int> {
        let content = try content()
        return content.startIndex..<content.endIndex
    }

    /// - Parameters:
    ///   - field: what the text is.
    ///   - limit: bytes that it may have; nothing is made of more.
    func string(
        _ field: StaticString, limit: Int = ProtocolLimits.textLength
    ) throws(HalcyonError) -> String {
        let content = try content()
        guard content.count <= limit else {
            throw HalcyonError(.invalidArgument, "'\(field)' may have at most \(limit) bytes, got \(content.count)")
        }
        guard let text = String(utf8: UnsafeRawBufferPointer(rebasing: content).bindMemory(to: UInt8.self)) else {
            throw HalcyonError(.invalidArgument, "a text field of the message is not UTF-8")
        }
        return text
    }
}
