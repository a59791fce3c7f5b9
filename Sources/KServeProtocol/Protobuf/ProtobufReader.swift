internal import Tensors

/// Reads the fields of a protobuf message one after the other, in place.
///
/// Only the inference messages are read this way, to keep their tensors where they are; all others go through the
/// generated code. The bytes must outlive the reader.
struct ProtobufReader {
    enum Value {
        case varint(UInt64)
        case fixed32(UInt32)
        case fixed64(UInt64)
        /// Where the field's bytes lie in the message that `ProtobufReader/init(_:)` got.
        case bytes(Range<Int>)
    }

    private let bytes: UnsafeRawBufferPointer
    private var position: Int
    private let end: Int

    init(_ bytes: UnsafeRawBufferPointer) { self.init(bytes, 0..<bytes.count) }

    /// - Parameter range: the part of the bytes that is the message.
    init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { position >= end }

    /// The next field's number and value; `nil` at the end.
    mutating func next() throws(HalcyonError) -> (field: Int, value: Value)? {
        guard position < end else { return nil }
        let tag = try varint()
        guard tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw Self.malformed }
        let field = Int(tag >> 3)
        switch tag & 7 {
        case 0: return (field, .varint(try varint()))
        case 1: return (field, .fixed64(try fixed64()))
        case 2: return (field, .bytes(try lengthDelimited()))
        case 5: return (field, .fixed32(try fixed32()))
        default: throw Self.malformed
        }
    }

    mutating func varint() throws(HalcyonError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw Self.malformed
    }

    mutating func fixed32() throws(HalcyonError) -> UInt32 {
        guard end - position >= 4 else { throw Self.malformed }
        defer { position += 4 }
        return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
    }

    mutating func fixed64() throws(HalcyonError) -> UInt64 {
        guard end - position >= 8 else { throw Self.malformed }
        defer { position += 8 }
        return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
    }

    private mutating func lengthDelimited() throws(HalcyonError) -> Range<Int> {
        let length = try varint()
        guard length <= UInt64(end - position) else { throw Self.malformed }
        let start = position
        position += Int(length)
        return start..<position
    }

    // MARK: What a value should be

    func message(_ value: Value) throws(HalcyonError) -> ProtobufReader {
        ProtobufReader(bytes, try range(value))
    }

    func range(_ value: Value) throws(HalcyonError) -> Range<Int> {
        guard case .bytes(let range) = value else { throw Self.malformed }
        return range
    }

    /// - Parameters:
    ///   - field: what the text is.
    ///   - limit: bytes that it may have; nothing is made of more.
    func string(
        _ value: Value, _ field: StaticString, limit: Int = ProtocolLimits.textLength
    ) throws(HalcyonError) -> String {
        let range = try range(value)
        guard range.count <= limit else {
            throw HalcyonError(.invalidArgument, "'\(field)' may have at most \(limit) bytes, got \(range.count)")
        }
        let slice = UnsafeRawBufferPointer(rebasing: bytes[range])
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw HalcyonError(.invalidArgument, "a text field of the message is not UTF-8")
        }
        return text
    }

    func varint(_ value: Value) throws(HalcyonError) -> UInt64 {
        guard case .varint(let number) = value else { throw Self.malformed }
        return number
    }

    static var malformed: HalcyonError {
        HalcyonError(.internal, "the message is not well-formed protobuf")
    }
}
