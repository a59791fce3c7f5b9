internal import JSONText

/// The members of a JSON object.
struct JSONFields {
    private let members: JSONValue

    init?(_ bytes: [UInt8]) {
        guard let value = bytes.withUnsafeBytes({ try? JSONValue(reading: $0, depth: 16) }),
            let fields = JSONFields(value)
        else { return nil }
        self = fields
    }

    init?(_ value: JSONValue) {
        guard case .object = value else { return nil }
        members = value
    }

    subscript(name: String) -> JSONValue? { members[name] }

    var names: [String] { if case .object(let members) = members { members.map(\.key) } else { [] } }

    func text(_ name: String) -> String? {
        guard let text = self[name]?.text, !text.isEmpty else { return nil }
        return text
    }

    /// A number, also one that is written as a string.
    func number(_ name: String) -> Int64? {
        switch self[name] {
        case .integer(let number)?: number
        case .string(let text)?: Int64(text)
        default: nil
        }
    }

    func objects(_ name: String) -> [JSONFields] {
        (self[name]?.elements ?? []).compactMap { JSONFields($0) }
    }

    func texts(_ name: String) -> [String] {
        (self[name]?.elements ?? []).compactMap(\.text)
    }

    func object(_ name: String) -> JSONFields? { self[name].flatMap { JSONFields($0) } }
}
