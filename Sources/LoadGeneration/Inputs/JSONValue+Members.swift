internal import JSONText
internal import Tensors

extension JSONValue {
    /// - Throws: `invalidArgument` for a text that is no JSON.
    static func read(_ bytes: [UInt8], _ what: String) throws(HalcyonError) -> JSONValue {
        do {
            return try bytes.withUnsafeBytes { bytes in
                var scanner = JSONScanner(bytes, maximumDepth: 64)
                let value = try scanner.value()
                try scanner.end()
                return value
            }
        } catch {
            throw HalcyonError(
                .invalidArgument, "\(what) is no JSON text: \((error as? JSONError)?.description ?? "\(error)")")
        }
    }

    func member(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == name }?.value
    }

    var list: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    var string: String? { if case .string(let text) = self { text } else { nil } }
    var flag: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// A whole number, as such or as a text, which is how protobuf's JSON writes those of 64 bits.
    var whole: Int64? {
        switch self {
        case .integer(let value): value
        case .string(let text): Int64(text)
        default: nil
        }
    }

    var unsigned: UInt64? {
        switch self {
        case .unsigned(let value): value
        case .string(let text): UInt64(text)
        default: whole.flatMap { UInt64(exactly: $0) }
        }
    }

    var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .unsigned(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
