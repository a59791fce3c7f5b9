package import JSONText

extension JSONValue {
    /// Reads one document; `nil` where the text is none.
    package init?(parsing text: String) {
        let value: JSONValue? = Array(text.utf8).withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes, maximumDepth: 32)
            guard let value = try? scanner.value(), (try? scanner.end()) != nil else { return nil }
            return value
        }
        guard let value else { return nil }
        self = value
    }

    package subscript(_ key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    package var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    package var text: String? { if case .string(let text) = self { text } else { nil } }
    var integer: Int? { if case .integer(let number) = self { Int(exactly: number) } else { nil } }

    /// A number, whether it was written with a point or without.
    var real: Double? {
        switch self {
        case .number(let number): number
        case .integer(let number): Double(number)
        case .unsigned(let number): Double(number)
        default: nil
        }
    }
}
