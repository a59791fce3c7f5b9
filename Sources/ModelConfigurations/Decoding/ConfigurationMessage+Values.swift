extension ConfigurationMessage {
    func string(_ field: String) -> String {
        switch node(field)?.value {
        case .string(let text), .enumeration(let text): text
        default: ""
        }
    }

    func bool(_ field: String) -> Bool {
        if case .bool(let value) = node(field)?.value { value } else { false }
    }

    func integer(_ field: String) -> Int64 { node(field)?.value.integer ?? 0 }

    func unsigned(_ field: String) -> UInt64 {
        if case .unsigned(let value) = node(field)?.value { value } else { 0 }
    }

    func message(_ field: String) -> ConfigurationMessage? {
        if case .message(let message) = node(field)?.value { message } else { nil }
    }
}

extension ConfigurationNode.Value {
    /// A whole number; 0 for anything else. One over `Int64.max` is clamped.
    var integer: Int64 {
        switch self {
        case .signed(let value): value
        case .unsigned(let value): Int64(clamping: value)
        default: 0
        }
    }

    func isString(_ text: String) -> Bool {
        if case .string(let value) = self { value == text } else { false }
    }
}
