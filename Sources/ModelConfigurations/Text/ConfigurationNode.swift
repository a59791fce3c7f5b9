/// A value of a configuration with the place where it stands.
struct ConfigurationNode {
    enum Value {
        case string(String)
        case bool(Bool)
        case signed(Int64)
        case unsigned(UInt64)
        case number(Double)
        case enumeration(String)
        case message(ConfigurationMessage)
    }

    var value: Value
    var position: TextPosition
    /// The key of a map's entry, in text form.
    var key: String = ""
}

/// The fields that a message gives, in the order of the file.
struct ConfigurationMessage {
    /// The schema's name.
    var type: String
    /// Where it begins.
    var position: TextPosition
    private(set) var fields: [String: [ConfigurationNode]] = [:]
    /// Fields that are there but can't be read, which has been complained about.
    private var faulty: Set<String> = []

    init(type: String, position: TextPosition) {
        self.type = type
        self.position = position
    }

    mutating func append(_ node: ConfigurationNode, to field: String) { fields[field, default: []].append(node) }

    mutating func markFaulty(_ field: String) { faulty.insert(field) }

    /// Whether the field is given, if only in vain.
    func mentions(_ field: String) -> Bool { fields[field] != nil || faulty.contains(field) }

    func nodes(_ field: String) -> [ConfigurationNode] { fields[field] ?? [] }

    func node(_ field: String) -> ConfigurationNode? { fields[field]?.first }

    /// Where the field stands, or else the message.
    func position(of field: String) -> TextPosition { node(field)?.position ?? position }
}
