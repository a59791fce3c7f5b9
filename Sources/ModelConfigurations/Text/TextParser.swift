/// Reads protobuf text format by the schema into a tree. After a fault it goes on with the next field, so that one look
/// finds them all.
struct TextParser {
    private static let maximumDepth = 32

    private var lexer: TextLexer
    private let foreign: (message: String, advice: String)?
    private var token = TextLexer.Token.end
    private var position = TextPosition()
    private(set) var diagnostics: DiagnosticList

    init(_ bytes: [UInt8], file: String) {
        lexer = TextLexer(bytes)
        foreign = ForeignText.complaint(bytes)
        diagnostics = DiagnosticList(file: file)
        advance()
    }

    mutating func parse() -> ConfigurationMessage {
        var message = ConfigurationMessage(type: ConfigurationSchema.root, position: position)
        if let foreign {
            diagnostics.error(foreign.message, at: TextPosition(), hint: foreign.advice)
            return message
        }
        while token != .end, !diagnostics.isFull {
            parseFields(of: &message, path: "", end: nil, depth: 0)
            guard token != .end else { break }
            diagnostics.error("Expected identifier, got: \(shown)", at: position)
            // What stands behind it in its line would only be complained about for the same reason.
            let line = position.line
            repeat { advance() } while token != .end && position.line == line
        }
        for complaint in lexer.complaints.all {
            let others = complaint.count > 1 ? "; \(complaint.count - 1) more of them follow" : ""
            diagnostics.error(
                "Expected identifier, got: \(complaint.message)", at: complaint.position,
                hint: complaint.advice + others)
        }
        return message
    }

    private mutating func advance() { (token, position) = lexer.next() }

    private func isSymbol(_ character: Character) -> Bool {
        guard let byte = character.asciiValue else { return false }
        return token == .symbol(byte)
    }

    private mutating func take(_ character: Character) -> Bool {
        guard isSymbol(character) else { return false }
        advance()
        return true
    }

    /// The token as Triton shows one.
    private var shown: String {
        switch token {
        case .identifier(let text), .number(let text): text
        case .string(let bytes): "\"\(String(decoding: bytes, as: UTF8.self))\""
        case .symbol(let byte): String(Character(Unicode.Scalar(byte)))
        case .invalid(let reason): reason
        case .end: ""
        }
    }

    // MARK: Messages

    /// Reads fields until `end`, which is not consumed, or a token that begins no field.
    private mutating func parseFields(
        of message: inout ConfigurationMessage, path: String, end: Character?, depth: Int
    ) {
        while !diagnostics.isFull {
            if let end, isSymbol(end) { return }
            guard case .identifier(let name) = token else {
                if end == nil || token == .end || isSymbol("}") || isSymbol(">") || isSymbol("]") { return }
                diagnostics.error("Expected identifier, got: \(shown)", at: position, path)
                recover()
                continue
            }
            let start = position
            advance()
            let field = ConfigurationSchema.fields(of: message.type).first { $0.name == name }
            let fieldPath = path.isEmpty ? name : "\(path).\(name)"
            let known = diagnostics.diagnostics.count
            if let field {
                checkRepetition(of: field, in: message, at: start, path: fieldPath)
                if parseField(field, into: &message, path: fieldPath, depth: depth) {
                    _ = take(",") || take(";")
                } else {
                    recover()
                }
                if diagnostics.diagnostics.count > known { message.markFaulty(name) }
            } else {
                let names = ConfigurationSchema.fields(of: message.type).map(\.name)
                diagnostics.error(
                    "Message type \"inference.\(message.type)\" has no field named \"\(name)\".", at: start, fieldPath,
                    hint: NameSuggestion.hint(for: name, among: names))
                recover()
            }
        }
    }

    private mutating func checkRepetition(
        of field: ConfigurationSchema.Field, in message: ConfigurationMessage, at start: TextPosition, path: String
    ) {
        if field.cardinality == .singular, let first = message.node(field.name) {
            diagnostics.error(
                "Non-repeated field \"\(field.name)\" is specified multiple times.", at: start, path,
                hint: "the first is in line \(first.position.line)")
        }
        guard let oneof = field.oneof else { return }
        for other in ConfigurationSchema.fields(of: message.type)
        where other.oneof == oneof && other.name != field.name && message.node(other.name) != nil {
            diagnostics.error(
                "Field \"\(field.name)\" is specified along with field \"\(other.name)\", another member of oneof "
                    + "\"\(oneof)\".", at: start, path)
        }
    }

    /// Skips what can't be read, up to what looks like the next field or the end of the message.
    private mutating func recover() {
        var open = 0
        let line = position.line
        while token != .end {
            switch token {
            case .symbol(UInt8(ascii: "{")), .symbol(UInt8(ascii: "[")), .symbol(UInt8(ascii: "<")): open += 1
            case .symbol(UInt8(ascii: "}")), .symbol(UInt8(ascii: "]")), .symbol(UInt8(ascii: ">")):
                if open == 0 { return }
                open -= 1
            case .symbol(UInt8(ascii: ",")), .symbol(UInt8(ascii: ";")):
                if open == 0 {
                    advance()
                    return
                }
            case .identifier:
                if open == 0, position.line > line { return }
            default: break
            }
            advance()
        }
    }

    // MARK: Fields

    /// Returns whether the field could be read to its end.
    private mutating func parseField(
        _ field: ConfigurationSchema.Field, into message: inout ConfigurationMessage, path: String, depth: Int
    ) -> Bool {
        let isMessage: Bool
        if case .message = field.kind { isMessage = true } else { isMessage = false }
        let isMap: Bool
        if case .map = field.cardinality { isMap = true } else { isMap = false }
        let hasColon = take(":")
        if !hasColon, !isMessage, !isMap {
            let isAssignment = token == .invalid("Invalid character '='")
            diagnostics.error(
                "Expected \":\", found \"\(isAssignment ? "=" : shown)\".", at: position, path,
                hint: isAssignment ? "write a colon between a field and its value" : "")
            return false
        }
        if field.cardinality != .singular, take("[") {
            if take("]") { return true }
            repeat {
                guard parseElement(field, into: &message, path: path, depth: depth) else { return skipList() }
            } while take(",")
            if take("]") { return true }
            diagnostics.error("Expected \"]\", found \"\(shown)\".", at: position, path)
            return false
        }
        return parseElement(field, into: &message, path: path, depth: depth)
    }

    /// Skips the rest of a list with a fault in it. Returns whether its end was found.
    private mutating func skipList() -> Bool {
        var open = 0
        while token != .end {
            if open == 0, take("]") { return true }
            switch token {
            case .symbol(UInt8(ascii: "{")), .symbol(UInt8(ascii: "[")), .symbol(UInt8(ascii: "<")): open += 1
            case .symbol(UInt8(ascii: "}")), .symbol(UInt8(ascii: "]")), .symbol(UInt8(ascii: ">")):
                if open == 0 { return false }
                open -= 1
            default: break
            }
            advance()
        }
        return false
    }

    private mutating func parseElement(
        _ field: ConfigurationSchema.Field, into message: inout ConfigurationMessage, path: String, depth: Int
    ) -> Bool {
        let start = position
        var path = path
        if field.cardinality == .repeated { path += "[\(message.nodes(field.name).count)]" }
        if case .map(let key) = field.cardinality {
            guard let entry = parseEntry(key: key, value: field.kind, path: path, depth: depth) else { return false }
            if message.nodes(field.name).contains(where: { $0.key == entry.key }) {
                diagnostics.warning(
                    "the key \"\(entry.key)\" is given more than once; the last one counts", at: start, path)
            }
            message.append(entry, to: field.name)
            return true
        }
        guard let value = parseValue(field.kind, path: path, depth: depth) else { return false }
        message.append(ConfigurationNode(value: value, position: start), to: field.name)
        return true
    }

    private mutating func parseEntry(
        key: ConfigurationSchema.Kind, value: ConfigurationSchema.Kind, path: String, depth: Int
    ) -> ConfigurationNode? {
        let start = position
        guard let end = openMessage(path: path, depth: depth) else { return nil }
        var keyText = ""
        var content: ConfigurationNode.Value?
        while case .identifier(let name) = token {
            let nameStart = position
            advance()
            let isMessage: Bool
            if name == "value", case .message = value { isMessage = true } else { isMessage = false }
            if !take(":"), !isMessage {
                diagnostics.error("Expected \":\", found \"\(shown)\".", at: position, path)
                return nil
            }
            switch name {
            case "key":
                guard let parsed = parseValue(key, path: "\(path).key", depth: depth + 1) else { return nil }
                keyText = parsed.text
            case "value":
                guard let parsed = parseValue(value, path: "\(path).value", depth: depth + 1) else { return nil }
                content = parsed
            default:
                diagnostics.error(
                    "A map's entry has no field named \"\(name)\".", at: nameStart, path,
                    hint: "an entry is { key: … value: … }")
                return nil
            }
            _ = take(",") || take(";")
        }
        guard take(end) else {
            diagnostics.error("Expected identifier, got: \(shown)", at: position, path)
            return nil
        }
        return ConfigurationNode(value: content ?? value.defaultValue(at: start), position: start, key: keyText)
    }

    /// Takes the bracket that opens a message and returns the one that closes it.
    private mutating func openMessage(path: String, depth: Int) -> Character? {
        guard depth < Self.maximumDepth else {
            diagnostics.error("messages are nested more than \(Self.maximumDepth) deep", at: position, path)
            return nil
        }
        if take("{") { return "}" }
        if take("<") { return ">" }
        diagnostics.error("Expected \"{\", found \"\(shown)\".", at: position, path)
        return nil
    }

    // MARK: Values

    private mutating func parseValue(
        _ kind: ConfigurationSchema.Kind, path: String, depth: Int
    ) -> ConfigurationNode.Value? {
        switch kind {
        case .message(let type):
            let start = position
            guard let end = openMessage(path: path, depth: depth) else { return nil }
            var message = ConfigurationMessage(type: type, position: start)
            parseFields(of: &message, path: path, end: end, depth: depth + 1)
            guard take(end) else {
                diagnostics.error("Expected identifier, got: \(shown)", at: position, path)
                return nil
            }
            return .message(message)
        case .string: return parseString(path: path).map { .string($0) }
        case .bool: return parseBool(path: path).map { .bool($0) }
        case .int32: return parseSigned(Int64(Int32.min)...Int64(Int32.max), path: path).map { .signed($0) }
        case .int64: return parseSigned(Int64.min...Int64.max, path: path).map { .signed($0) }
        case .uint32: return parseUnsigned(most: UInt64(UInt32.max), path: path).map { .unsigned($0) }
        case .uint64: return parseUnsigned(most: .max, path: path).map { .unsigned($0) }
        case .float, .double: return parseNumber(path: path).map { .number($0) }
        case .enumeration(let type): return parseEnumeration(type, path: path).map { .enumeration($0) }
        }
    }

    private mutating func parseString(path: String) -> String? {
        guard case .string(let first) = token else {
            guard case .identifier(let word) = token else { return expected("string", path) }
            diagnostics.error(
                "Expected string, got: \(word)", at: position, path, hint: "write it in quotes: \"\(word)\"")
            return nil
        }
        let start = position
        var bytes = first
        advance()
        while case .string(let more) = token {
            bytes += more
            advance()
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            diagnostics.error("the string is not valid UTF-8", at: start, path)
            return nil
        }
        return text
    }

    private mutating func parseBool(path: String) -> Bool? {
        let value: Bool
        switch token {
        case .identifier("true"), .identifier("True"), .identifier("t"), .number("1"): value = true
        case .identifier("false"), .identifier("False"), .identifier("f"), .number("0"): value = false
        case .identifier:
            diagnostics.error(
                "Invalid value for boolean field. Value: \"\(shown)\".", at: position, path, hint: "write true or false"
            )
            return nil
        default: return expected("\"true\" or \"false\"", path)
        }
        advance()
        return value
    }

    private mutating func parseMagnitude(path: String) -> (magnitude: UInt64, isNegative: Bool, start: TextPosition)? {
        let start = position
        let isNegative = take("-")
        guard case .number(let text) = token else { return expected("integer", path) }
        let magnitude: UInt64?
        if text.lowercased().hasPrefix("0x") {
            magnitude = UInt64(text.dropFirst(2), radix: 16)
        } else if text.count > 1, text.hasPrefix("0"), text.allSatisfy(\.isNumber) {
            magnitude = UInt64(text.dropFirst(), radix: 8)
        } else {
            magnitude = UInt64(text)
        }
        guard let magnitude else {
            if text.allSatisfy(\.isNumber) {
                diagnostics.error("Integer out of range (\(isNegative ? "-" : "")\(text))", at: start, path)
                return nil
            }
            return expected("integer", path)
        }
        advance()
        return (magnitude, isNegative, start)
    }

    private mutating func parseSigned(_ range: ClosedRange<Int64>, path: String) -> Int64? {
        guard let (magnitude, isNegative, start) = parseMagnitude(path: path) else { return nil }
        let value = isNegative ? negated(magnitude) : Int64(exactly: magnitude)
        guard let value, range.contains(value) else {
            outOfRange(
                isNegative ? "-\(magnitude)" : "\(magnitude)", "\(range.lowerBound) to \(range.upperBound)", start, path
            )
            return nil
        }
        return value
    }

    private func negated(_ magnitude: UInt64) -> Int64? {
        magnitude == UInt64(Int64.max) + 1 ? Int64.min : Int64(exactly: magnitude).map { -$0 }
    }

    private mutating func parseUnsigned(most: UInt64, path: String) -> UInt64? {
        guard let (magnitude, isNegative, start) = parseMagnitude(path: path) else { return nil }
        guard !isNegative || magnitude == 0, magnitude <= most else {
            outOfRange(isNegative ? "-\(magnitude)" : "\(magnitude)", "0 to \(most)", start, path)
            return nil
        }
        return magnitude
    }

    private mutating func outOfRange(_ value: String, _ range: String, _ start: TextPosition, _ path: String) {
        diagnostics.error("Integer out of range (\(value))", at: start, path, hint: "the field takes \(range)")
    }

    private mutating func parseNumber(path: String) -> Double? {
        let isNegative = take("-")
        let value: Double?
        switch token {
        case .number(let text):
            let isFloat = text.last == "f" || text.last == "F"
            value = Double(isFloat ? String(text.dropLast()) : text)
        case .identifier("inf"), .identifier("infinity"): value = .infinity
        case .identifier("nan"): value = .nan
        default: value = nil
        }
        guard let value else { return expected("double", path) }
        advance()
        return isNegative ? -value : value
    }

    private mutating func parseEnumeration(_ type: String, path: String) -> String? {
        let values = ConfigurationSchema.enumerations[type] ?? []
        switch token {
        case .identifier(let name):
            guard values.contains(name) else {
                diagnostics.error(
                    "Unknown enumeration value of \"\(name)\" for field \"\(path)\".", at: position, path,
                    hint: NameSuggestion.hint(forValue: name, among: values))
                return nil
            }
            advance()
            return name
        case .number(let text):
            guard let number = Int(text), values.indices.contains(number) else {
                diagnostics.error(
                    "Unknown enumeration value of \"\(text)\" for field \"\(path)\".", at: position, path,
                    hint: "one of \(values.joined(separator: ", "))")
                return nil
            }
            advance()
            return values[number]
        case .string(let bytes):
            let name = String(decoding: bytes, as: UTF8.self)
            diagnostics.error(
                "Expected integer or identifier, got: \(shown)", at: position, path,
                hint: values.contains(name)
                    ? "write it without quotes: \(name)" : NameSuggestion.hint(forValue: name, among: values))
            return nil
        default: return expected("integer or identifier", path)
        }
    }

    private mutating func expected<Value>(_ what: String, _ path: String) -> Value? {
        diagnostics.error("Expected \(what), got: \(shown)", at: position, path)
        return nil
    }
}

extension ConfigurationNode.Value {
    /// A map's key as text.
    fileprivate var text: String {
        switch self {
        case .string(let text), .enumeration(let text): text
        case .bool(let value): "\(value)"
        case .signed(let value): "\(value)"
        case .unsigned(let value): "\(value)"
        case .number(let value): "\(value)"
        case .message: ""
        }
    }
}

extension ConfigurationSchema.Kind {
    /// What a field has that is not given.
    fileprivate func defaultValue(at position: TextPosition) -> ConfigurationNode.Value {
        switch self {
        case .string: .string("")
        case .bool: .bool(false)
        case .int32, .int64: .signed(0)
        case .uint32, .uint64: .unsigned(0)
        case .float, .double: .number(0)
        case .enumeration(let type): .enumeration(ConfigurationSchema.enumerations[type]?.first ?? "")
        case .message(let type): .message(ConfigurationMessage(type: type, position: position))
        }
    }
}
