import Foundation

/// A protobuf message, written field by field.
struct ProtobufMessage {
    private(set) var data = Data()

    func adding(_ number: Int, _ value: UInt64) -> ProtobufMessage {
        var message = self
        message.data += Self.varint(UInt64(number << 3)) + Self.varint(value)
        return message
    }

    func adding(_ number: Int, _ content: Data) -> ProtobufMessage {
        var message = self
        message.data += Self.varint(UInt64(number << 3 | 2)) + Self.varint(UInt64(content.count)) + content
        return message
    }

    func adding(_ number: Int, _ text: String) -> ProtobufMessage { adding(number, Data(text.utf8)) }

    func adding(_ number: Int, _ message: ProtobufMessage) -> ProtobufMessage { adding(number, message.data) }

    static func varint(_ value: UInt64) -> Data {
        var (rest, bytes) = (value, Data())
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
        return bytes
    }
}
