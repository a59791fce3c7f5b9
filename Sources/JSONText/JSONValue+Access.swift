extension JSONValue {
    /// Reads a text that is one value and nothing else.
    ///
    /// - Parameter depth: how many arrays and objects may be nested.
    /// - Throws: ``JSONError``.
    package init(reading text: UnsafeRawBufferPointer, depth: Int) throws {
        var scanner = JSONScanner(text, maximumDepth: depth)
        self = try scanner.value()
        try scanner.end()
    }

    /// An object's member of that name, the last one where there are several; `nil` where there is none.
    package subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == name }?.value
    }

    package var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    package var text: String? { if case .string(let text) = self { text } else { nil } }
    package var flag: Bool? { if case .bool(let flag) = self { flag } else { nil } }

    /// A number, whether it was written with a point or without.
    package var real: Double? {
        switch self {
        case .number(let number): number
        case .integer(let number): Double(number)
        case .unsigned(let number): Double(number)
        default: nil
        }
    }
}
