internal import JSONText

extension ModelConfiguration {
    /// The configuration as Triton's message `ModelConfig`: what ``jsonValue`` says, so that both wires say the same.
    package var protobuf: [UInt8] {
        var message = ProtobufMessage()
        message.add(jsonValue, of: ConfigurationSchema.root)
        return message.bytes
    }
}

/// Writes values in their JSON form as a protobuf message, by the schema.
private struct ProtobufMessage {
    private(set) var bytes: [UInt8] = []

    /// Adds the members of an object that is a message of that type.
    mutating func add(_ object: JSONValue, of message: String) {
        guard case .object(let members) = object else { return }
        let fields = ConfigurationSchema.fields(of: message)
        for member in members {
            guard let field = fields.first(where: { $0.name == member.key }) else { continue }
            switch (field.cardinality, member.value) {
            case (.map(let key), .object(let entries)): for entry in entries { add(entry, key: key, to: field) }
            case (.repeated, .array(let elements)): add(elements, to: field)
            // What is one of a choice says by being there which it is.
            default: add(member.value, field.kind, at: field.number, evenIfDefault: field.oneof != nil)
            }
        }
    }

    private mutating func add(
        _ entry: JSONValue.Member, key: ConfigurationSchema.Kind, to field: ConfigurationSchema.Field
    ) {
        var message = ProtobufMessage()
        message.add(
            key == .string ? .string(entry.key) : UInt64(entry.key).map(JSONValue.unsigned) ?? .null, key, at: 1)
        message.add(entry.value, field.kind, at: 2)
        add(message.bytes, at: field.number)
    }

    private mutating func add(_ elements: [JSONValue], to field: ConfigurationSchema.Field) {
        switch field.kind {
        case .string, .message: for element in elements { add(element, field.kind, at: field.number) }
        default:
            // Numbers, flags and names of enumerations are packed.
            var packed = ProtobufMessage()
            for element in elements { packed.add(packed: element, field.kind) }
            if !packed.bytes.isEmpty { add(packed.bytes, at: field.number) }
        }
    }

    /// - Parameter evenIfDefault: whether a value is written that a message has which does not say.
    private mutating func add(
        _ value: JSONValue, _ kind: ConfigurationSchema.Kind, at number: Int, evenIfDefault: Bool = true
    ) {
        switch kind {
        case .message(let type):
            var message = ProtobufMessage()
            message.add(value, of: type)
            add(message.bytes, at: number)
        case .string:
            guard case .string(let text) = value, evenIfDefault || !text.isEmpty else { return }
            add(Array(text.utf8), at: number)
        default:
            var packed = ProtobufMessage()
            packed.add(packed: value, kind)
            guard evenIfDefault || packed.bytes.contains(where: { $0 != 0 }) else { return }
            let wireType: UInt64 =
                switch kind {
                case .double: 1
                case .float: 5
                default: 0
                }
            add(varint: UInt64(number) << 3 | wireType)
            bytes += packed.bytes
        }
    }

    private mutating func add(packed value: JSONValue, _ kind: ConfigurationSchema.Kind) {
        switch kind {
        case .float: add(fixed: Float(Self.number(value)).bitPattern)
        case .double: add(fixed: Self.number(value).bitPattern)
        case .enumeration(let type):
            guard case .string(let name) = value else { return }
            add(varint: UInt64(ConfigurationSchema.enumerations[type]?.firstIndex(of: name) ?? 0))
        default: add(varint: Self.bits(value))
        }
    }

    private mutating func add(_ content: [UInt8], at number: Int) {
        add(varint: UInt64(number) << 3 | 2)
        add(varint: UInt64(content.count))
        bytes += content
    }

    private mutating func add(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    private mutating func add(fixed bits: some FixedWidthInteger) {
        withUnsafeBytes(of: bits.littleEndian) { bytes += $0 }
    }

    private static func bits(_ value: JSONValue) -> UInt64 {
        switch value {
        case .bool(let flag): flag ? 1 : 0
        case .integer(let number): UInt64(bitPattern: number)
        case .unsigned(let number): number
        default: 0
        }
    }

    private static func number(_ value: JSONValue) -> Double {
        switch value {
        case .number(let number): number
        case .integer(let number): Double(number)
        case .unsigned(let number): Double(number)
        default: 0
        }
    }
}
