internal import Tensors

/// Writes the fields of a protobuf message.
package struct ProtobufWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    private mutating func tag(_ field: UInt64, _ kind: UInt64) { varint(field << 3 | kind) }

    /// The header of a field whose bytes follow.
    mutating func lengthHeader(_ field: UInt64, _ count: Int) {
        tag(field, 2)
        varint(UInt64(count))
    }

    mutating func string(_ field: UInt64, _ text: String) {
        guard !text.isEmpty else { return }
        var text = text
        text.withUTF8 { utf8 in
            lengthHeader(field, utf8.count)
            bytes.append(contentsOf: utf8)
        }
    }

    mutating func bool(_ field: UInt64, _ value: Bool) {
        tag(field, 0)
        bytes.append(value ? 1 : 0)
    }

    mutating func integer(_ field: UInt64, _ value: Int64) {
        tag(field, 0)
        varint(UInt64(bitPattern: value))
    }

    mutating func unsigned(_ field: UInt64, _ value: UInt64) {
        tag(field, 0)
        varint(value)
    }

    mutating func double(_ field: UInt64, _ value: Double) {
        tag(field, 1)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// A list of numbers in one field, as proto3 packs them.
    mutating func packed(_ field: UInt64, _ values: [Int]) {
        guard !values.isEmpty else { return }
        var inner = ProtobufWriter()
        for value in values { inner.varint(UInt64(bitPattern: Int64(value))) }
        message(field, inner)
    }

    mutating func message(_ field: UInt64, _ message: ProtobufWriter) {
        lengthHeader(field, message.bytes.count)
        bytes.append(contentsOf: message.bytes)
    }
}
