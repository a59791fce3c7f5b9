/// The fields of a protobuf message, one after the other and in place, with a word for the place where it stops making
/// sense. The bytes must outlive it.
@usableFromInline
package struct ProtobufFields {
    @usableFromInline
    package enum Value {
        case varint(UInt64)
        case fixed32(UInt32)
        case fixed64(UInt64)
        /// A text, bytes, a message or packed numbers. The indices are those of the outermost message.
        case bytes(Slice<UnsafeRawBufferPointer>)
    }

    /// Why a message ends early.
    @usableFromInline
    package enum Damage: Error, Equatable {
        /// A field says that it has more bytes than are left.
        case cutShort(field: Int, missing: UInt64)
        /// Bytes that are no field.
        case malformed(offset: Int)
        /// A field in a form that no writer uses, and that readers do not take alike.
        case unusual(offset: Int)
    }

    @usableFromInline let bytes: UnsafeRawBufferPointer
    @usableFromInline var position: Int
    @usableFromInline let end: Int

    @inlinable
    package init(_ message: Slice<UnsafeRawBufferPointer>) {
        bytes = message.base
        position = message.startIndex
        end = message.endIndex
    }

    @inlinable package var isAtEnd: Bool { position >= end }

    /// The next field; `nil` at the message's end.
    @inlinable
    package mutating func next() throws(Damage) -> (field: Int, value: Value)? {
        guard position < end else { return nil }
        let start = position
        let tag = try varint(ofFieldAt: start)
        guard tag >> 3 > 0 else { throw .malformed(offset: start) }
        guard tag >> 3 < 1 << 29 else { throw .unusual(offset: start) }
        let field = Int(tag >> 3)
        switch tag & 7 {
        case 0: return (field, .varint(try varint(ofFieldAt: start)))
        case 1: return (field, .fixed64(UInt64(littleEndian: try fixed(field))))
        case 2: return (field, .bytes(try take(try varint(ofFieldAt: start), field)))
        case 5: return (field, .fixed32(UInt32(littleEndian: try fixed(field))))
        case 3, 4: throw .unusual(offset: start)
        default: throw .malformed(offset: start)
        }
    }

    /// The next number of packed ones.
    @inlinable
    package mutating func varint() throws(Damage) -> UInt64 { try varint(ofFieldAt: position) }

    @inlinable
    mutating func varint(ofFieldAt start: Int) throws(Damage) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw .malformed(offset: start)
    }

    @inlinable
    mutating func take(_ count: UInt64, _ field: Int) throws(Damage) -> Slice<UnsafeRawBufferPointer> {
        let left = UInt64(end - position)
        guard count <= left else { throw .cutShort(field: field, missing: count - left) }
        let start = position
        position += Int(count)
        return bytes[start..<position]
    }

    @inlinable
    mutating func fixed<Bits: FixedWidthInteger & BitwiseCopyable>(_ field: Int) throws(Damage) -> Bits {
        let taken = try take(UInt64(MemoryLayout<Bits>.size), field)
        return bytes.loadUnaligned(fromByteOffset: taken.startIndex, as: Bits.self)
    }

    /// Calls with each field of a message. What is damaged ends it.
    package static func each(
        _ message: Slice<UnsafeRawBufferPointer>, _ body: (Int, Value) throws -> Void
    ) throws {
        var fields = ProtobufFields(message)
        while let (field, value) = try fields.next() { try body(field, value) }
    }
}

extension ProtobufFields.Value {
    package var bytes: Slice<UnsafeRawBufferPointer>? { if case .bytes(let bytes) = self { bytes } else { nil } }
    package var number: UInt64? { if case .varint(let number) = self { number } else { nil } }
    package var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
}
