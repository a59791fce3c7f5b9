internal import JSONText

/// The members of a JSON object.
struct JSONFields {
    private let members: [JSONValue.Member]

    init?(_ bytes: [UInt8]) {
        let value = try? bytes.withUnsafeBytes { text in
            var scanner = JSONScanner(text, limits: JSONLimits(depth: 16))
            let value = try scanner.value()
            try scanner.end()
            return value
        }
        guard let value, let fields = JSONFields(value) else { return nil }
        self = fields
    }

    init?(_ value: JSONValue) {
        guard case .object(let members) = value else { return nil }
        self.members = members
    }

    subscript(name: String) -> JSONValue? { members.first { $0.key == name }?.value }

    var names: [String] { members.map(\.key) }

    func text(_ name: String) -> String? {
        guard case .string(let text)? = self[name], !text.isEmpty else { return nil }
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
        guard case .array(let values)? = self[name] else { return [] }
        return values.compactMap { JSONFields($0) }
    }

    func texts(_ name: String) -> [String] {
        guard case .array(let values)? = self[name] else { return [] }
        return values.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }

    func object(_ name: String) -> JSONFields? { self[name].flatMap { JSONFields($0) } }
}
