/// What may stand in a configuration: messages, their fields, and the values of enumerations.
///
/// Names are those of the schema, without the package: `ModelInstanceGroup.Kind`.
enum ConfigurationSchema {
    /// The message that a whole `config.pbtxt` is.
    static let root = "ModelConfig"

    indirect enum Kind: Hashable {
        case string
        case bool
        case int32
        case int64
        case uint32
        case uint64
        case float
        case double
        case enumeration(String)
        case message(String)
    }

    enum Cardinality: Hashable {
        case singular
        case repeated
        /// Entries of a key and a value; the field's kind is the value's.
        case map(key: Kind)
    }

    struct Field: Hashable {
        /// In protobuf's messages.
        var number: Int
        var name: String
        var kind: Kind
        var cardinality: Cardinality
        /// The group of fields of which only one may be given.
        var oneof: String?

        init(_ number: Int, _ name: String, _ kind: Kind, _ cardinality: Cardinality = .singular, oneof: String? = nil)
        {
            self.number = number
            self.name = name
            self.kind = kind
            self.cardinality = cardinality
            self.oneof = oneof
        }
    }

    static func fields(of message: String) -> [Field] { messages[message] ?? [] }
}
