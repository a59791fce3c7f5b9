internal import JSONText

/// Reads the JSON form of a configuration into the tree that the text form gives, by the same schema: 64-bit numbers
/// may be text, enumerations are names, a map is an object, one value stands for a list of one, and `null` is a field
/// that is not given (protobuf's JSON mapping).
struct JSONConfigurationParser {
    /// How deep messages may be nested; the schema needs far less.
    private static let maximumDepth = 32

    private(set) var diagnostics: DiagnosticList
    /// The offsets at which lines begin.
    private let lineStarts: [Int]

    private init(_ text: UnsafeRawBufferPointer, file: String) {
        diagnostics = DiagnosticList(file: file)
        lineStarts = [0] + text.indices.filter { text[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }
    }

    static func parse(_ bytes: [UInt8], file: String) -> (message: ConfigurationMessage, diagnostics: DiagnosticList) {
        bytes.withUnsafeBytes { text in
            var parser = JSONConfigurationParser(text, file: file)
            var message = ConfigurationMessage(type: ConfigurationSchema.root, position: TextPosition())
            var scanner = JSONScanner(text, maximumDepth: maximumDepth)
            do {
                try parser.members(of: &message, path: "", &scanner)
                try scanner.end()
            } catch let error as JSONError {
                parser.diagnostics.error(error.reason, at: parser.position(error.offset))
            } catch {
                parser.diagnostics.error("\(error)", at: TextPosition())
            }
            return (message, parser.diagnostics)
        }
    }

    private func position(_ offset: Int) -> TextPosition {
        let line = lineStarts.lastIndex { $0 <= offset } ?? 0
        return TextPosition(line: line + 1, column: offset - lineStarts[line] + 1)
    }

    /// Where the next value stands.
    private func start(_ scanner: inout JSONScanner) throws -> TextPosition {
        _ = try scanner.kind()
        return position(scanner.position)
    }

    // MARK: Messages

    private mutating func members(
        of message: inout ConfigurationMessage, path: String, _ scanner: inout JSONScanner
    ) throws {
        guard try scanner.kind() == .object else { throw scanner.error("expected an object") }
        try scanner.object { scanner, name in
            let start = try start(&scanner)
            let fieldPath = path.isEmpty ? name : "\(path).\(name)"
            let fields = ConfigurationSchema.fields(of: message.type)
            guard let field = fields.first(where: { $0.name == name }) else {
                diagnostics.error(
                    "Message type \"inference.\(message.type)\" has no field named \"\(name)\".", at: start, fieldPath,
                    hint: NameSuggestion.hint(for: name, among: fields.map(\.name)))
                return try scanner.skip()
            }
            if try scanner.kind() == .null { return try scanner.null() }
            checkRepetition(of: field, in: message, at: start, path: fieldPath)
            let known = diagnostics.diagnostics.count
            try values(of: field, into: &message, path: fieldPath, &scanner)
            if diagnostics.diagnostics.count > known { message.markFaulty(name) }
        }
    }

    private mutating func checkRepetition(
        of field: ConfigurationSchema.Field, in message: ConfigurationMessage, at start: TextPosition, path: String
    ) {
        if message.node(field.name) != nil {
            diagnostics.error("Field \"\(field.name)\" is given more than once.", at: start, path)
        }
        guard let oneof = field.oneof else { return }
        for other in ConfigurationSchema.fields(of: message.type)
        where other.oneof == oneof && other.name != field.name && message.node(other.name) != nil {
            diagnostics.error(
                "Field \"\(field.name)\" is specified along with field \"\(other.name)\", another member of oneof "
                    + "\"\(oneof)\".", at: start, path)
        }
    }

    private mutating func values(
        of field: ConfigurationSchema.Field, into message: inout ConfigurationMessage, path: String,
        _ scanner: inout JSONScanner
    ) throws {
        switch field.cardinality {
        case .singular:
            if let node = try node(field.kind, path: path, &scanner) { message.append(node, to: field.name) }
        case .repeated:
            let found = try scanner.kind()
            guard found == .array else {
                // One value stands for a list of one.
                guard Self.mayBeOne(field.kind, found) else { return try mismatch("a list", path, &scanner) }
                if let node = try node(field.kind, path: "\(path)[0]", &scanner) {
                    message.append(node, to: field.name)
                }
                return
            }
            var index = 0
            try scanner.array { scanner in
                let node = try node(field.kind, path: "\(path)[\(index)]", &scanner)
                if let node { message.append(node, to: field.name) }
                index += 1
            }
        case .map:
            guard try scanner.kind() == .object else { return try mismatch("an object", path, &scanner) }
            try scanner.object { scanner, key in
                guard var node = try node(field.kind, path: "\(path)[\(key)]", &scanner) else { return }
                node.key = key
                message.append(node, to: field.name)
            }
        }
    }

    // MARK: Values

    /// Whether a JSON value may be one of a field's values.
    private static func mayBeOne(_ kind: ConfigurationSchema.Kind, _ found: JSONScanner.Kind) -> Bool {
        switch kind {
        case .message: found == .object
        case .string, .enumeration: found == .string
        case .bool: found == .bool
        case .float, .double: found == .number
        case .int32, .int64, .uint32, .uint64: found == .number || found == .string
        }
    }

    private mutating func node(
        _ kind: ConfigurationSchema.Kind, path: String, _ scanner: inout JSONScanner
    ) throws -> ConfigurationNode? {
        let start = try start(&scanner)
        if case .message(let type) = kind {
            guard try scanner.kind() == .object else {
                try mismatch("an object", path, &scanner)
                return nil
            }
            var message = ConfigurationMessage(type: type, position: start)
            try members(of: &message, path: path, &scanner)
            return ConfigurationNode(value: .message(message), position: start)
        }
        return try value(kind, path: path, &scanner).map { ConfigurationNode(value: $0, position: start) }
    }

    private mutating func value(
        _ kind: ConfigurationSchema.Kind, path: String, _ scanner: inout JSONScanner
    ) throws -> ConfigurationNode.Value? {
        let found = try scanner.kind()
        switch kind {
        case .string where found == .string: return .string(try scanner.string())
        case .bool where found == .bool: return .bool(try scanner.bool())
        case .float where found == .number, .double where found == .number: return .number(try scanner.double())
        case .enumeration(let type) where found == .string: return try enumeration(type, path: path, &scanner)
        case .int32: return try signed(Int64(Int32.min)...Int64(Int32.max), path: path, &scanner)
        case .int64: return try signed(Int64.min...Int64.max, path: path, &scanner)
        case .uint32: return try unsigned(most: UInt64(UInt32.max), path: path, &scanner)
        case .uint64: return try unsigned(most: .max, path: path, &scanner)
        case .string, .enumeration: try mismatch("a string", path, &scanner)
        case .bool: try mismatch("true or false", path, &scanner)
        case .float, .double: try mismatch("a number", path, &scanner)
        case .message: try mismatch("an object", path, &scanner)
        }
        return nil
    }

    private mutating func enumeration(
        _ type: String, path: String, _ scanner: inout JSONScanner
    ) throws -> ConfigurationNode.Value? {
        let start = try start(&scanner)
        let name = try scanner.string()
        let values = ConfigurationSchema.enumerations[type] ?? []
        if values.contains(name) { return .enumeration(name) }
        diagnostics.error(
            "Unknown enumeration value of \"\(name)\" for field \"\(path)\".", at: start, path,
            hint: NameSuggestion.hint(forValue: name, among: values))
        return nil
    }

    private mutating func signed(
        _ range: ClosedRange<Int64>, path: String, _ scanner: inout JSONScanner
    ) throws -> ConfigurationNode.Value? {
        let start = try start(&scanner)
        let text = scanner.position
        let value: Int64?
        switch try scanner.kind() {
        case .number: if case .integer(let number) = try scanner.number() { value = number } else { value = nil }
        case .string: value = Int64(try scanner.string())
        default: value = nil
        }
        if let value, range.contains(value) { return .signed(value) }
        if scanner.position == text { try scanner.skip() }
        diagnostics.error("expected a whole number from \(range.lowerBound) to \(range.upperBound)", at: start, path)
        return nil
    }

    private mutating func unsigned(
        most: UInt64, path: String, _ scanner: inout JSONScanner
    ) throws -> ConfigurationNode.Value? {
        let start = try start(&scanner)
        let text = scanner.position
        let value: UInt64?
        switch try scanner.kind() {
        case .number:
            switch try scanner.number() {
            case .integer(let number): value = UInt64(exactly: number)
            case .unsigned(let number): value = number
            case .double: value = nil
            }
        case .string: value = UInt64(try scanner.string())
        default: value = nil
        }
        if let value, value <= most { return .unsigned(value) }
        if scanner.position == text { try scanner.skip() }
        diagnostics.error("expected a whole number from 0 to \(most)", at: start, path)
        return nil
    }

    private mutating func mismatch(_ expected: String, _ path: String, _ scanner: inout JSONScanner) throws {
        let start = try start(&scanner)
        let found: String =
            switch try scanner.kind() {
            case .object: "an object"
            case .array: "a list"
            case .string: "a string"
            case .number: "a number"
            case .bool: "true or false"
            case .null: "null"
            }
        try scanner.skip()
        diagnostics.error("expected \(expected), got \(found)", at: start, path)
    }
}
