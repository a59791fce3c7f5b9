/// The fields of a protobuf message, one after the other, with a word for the place where it stops making sense.
package struct ProtobufFields {
    package enum Value {
        case number(UInt64)
        case bytes(Slice<UnsafeRawBufferPointer>)
    }

    /// Why a message ends early.
    package enum Damage: Error, Equatable {
        /// A field says that it has more bytes than are left.
        case cutShort(field: UInt64, missing: UInt64)
        /// Bytes that are no field.
        case malformed(offset: Int)
        /// A field in a form that no writer uses, and that readers do not take alike.
        case unusual(offset: Int)
    }

    private var rest: Slice<UnsafeRawBufferPointer>

    package init(_ bytes: Slice<UnsafeRawBufferPointer>) { rest = bytes }

    /// The next field; `nil` at the message's end.
    package mutating func next() throws(Damage) -> (number: UInt64, value: Value)? {
        guard !rest.isEmpty else { return nil }
        let start = rest.startIndex
        let key = try varint(start)
        let number = key >> 3
        guard number > 0 else { throw .malformed(offset: start) }
        guard number < 1 << 29 else { throw .unusual(offset: start) }
        switch key & 7 {
        case 0: return (number, .number(try varint(start)))
        case 1: return (number, .bytes(try take(8, number)))
        case 2: return (number, .bytes(try take(try varint(start), number)))
        case 5: return (number, .bytes(try take(4, number)))
        case 3, 4: throw .unusual(offset: start)
        default: throw .malformed(offset: start)
        }
    }

    private mutating func take(_ count: UInt64, _ field: UInt64) throws(Damage) -> Slice<UnsafeRawBufferPointer> {
        guard count <= UInt64(rest.count) else { throw .cutShort(field: field, missing: count - UInt64(rest.count)) }
        let taken = rest.prefix(Int(count))
        rest = rest.dropFirst(Int(count))
        return taken
    }

    private mutating func varint(_ start: Int) throws(Damage) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let byte = rest.popFirst() else { throw .malformed(offset: start) }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        throw .malformed(offset: start)
    }

    /// Calls with each field of a message. What is damaged ends it.
    package static func each(
        _ bytes: Slice<UnsafeRawBufferPointer>, _ body: (UInt64, Value) throws -> Void
    ) throws {
        var fields = ProtobufFields(bytes)
        while let (number, value) = try fields.next() { try body(number, value) }
    }
}

extension ProtobufFields.Value {
    package var bytes: Slice<UnsafeRawBufferPointer>? { if case .bytes(let bytes) = self { bytes } else { nil } }
    package var number: UInt64? { if case .number(let number) = self { number } else { nil } }
    package var text: String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
}
