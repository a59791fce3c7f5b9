package import JSONText

extension JSONValue {
    /// Reads one document; `nil` where the text is none.
    package init?(parsing text: String) {
        guard let value = Array(text.utf8).withUnsafeBytes({ try? JSONValue(reading: $0, depth: 32) }) else {
            return nil
        }
        self = value
    }

    var integer: Int? { if case .integer(let number) = self { Int(exactly: number) } else { nil } }
}
