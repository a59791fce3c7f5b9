/// Cuts protobuf text format into tokens. It never fails: what is no token becomes an `invalid` one with the reason.
struct TextLexer {
    enum Token: Equatable {
        case identifier(String)
        /// A number as written, with its sign before it as a symbol of its own.
        case number(String)
        case string([UInt8])
        case symbol(UInt8)
        case invalid(String)
        case end
    }

    private let bytes: [UInt8]
    private var index = 0
    private var position = TextPosition()
    /// About characters that were read as others that were meant.
    private(set) var complaints = CharacterComplaints()

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private var current: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func advance() {
        if current == UInt8(ascii: "\n") {
            position.line += 1
            position.column = 1
        } else {
            position.column += 1
        }
        index += 1
    }

    /// The next token and the place where it begins.
    mutating func next() -> (token: Token, position: TextPosition) {
        skipBlanks()
        let start = position
        guard let byte = current else { return (.end, start) }
        if Self.isLetter(byte) { return (.identifier(takeWhile { Self.isLetter($0) || Self.isDigit($0) }), start) }
        if Self.isDigit(byte)
            || (byte == UInt8(ascii: ".") && index + 1 < bytes.count && Self.isDigit(bytes[index + 1]))
        {
            return (.number(takeNumber()), start)
        }
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") { return (takeString(quote: byte), start) }
        if let unusual = takeUnusual() {
            switch unusual.meaning {
            case .symbol(let symbol): return (.symbol(symbol), start)
            case .quote, .blank: return (takeQuoted(unusual), start)
            }
        }
        if byte > 0x7F { return (.invalid(takeForeign()), start) }
        advance()
        if "{}<>[]:,;-".utf8.contains(byte) { return (.symbol(byte), start) }
        let shown = byte < 0x20 || byte > 0x7E ? "byte \(byte)" : "'\(Character(Unicode.Scalar(byte)))'"
        return (.invalid("Invalid character \(shown)"), start)
    }

    // MARK: Characters beyond ASCII

    /// The character at the present place, and how many bytes it has; `nil` where there is none, or it is not UTF-8.
    private var scalar: (value: Unicode.Scalar, byteCount: Int)? {
        var decoder = UTF8()
        var rest = bytes[index...].prefix(4).makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&rest) else { return nil }
        return (scalar, UTF8.width(scalar))
    }

    private mutating func advance(by count: Int) { for _ in 0..<count where current != nil { advance() } }

    /// Takes a character that stands for another.
    private mutating func takeUnusual() -> UnusualCharacter? {
        guard let byte = current, byte > 0x7F || byte == UInt8(ascii: "`"), let scalar,
            let unusual = UnusualCharacter(scalar.value)
        else { return nil }
        complaints.add(unusual.message, unusual.advice, at: position)
        advance(by: scalar.byteCount)
        return unusual
    }

    /// A string between quotes that are not straight, of which the second may be.
    private mutating func takeQuoted(_ quote: UnusualCharacter) -> Token {
        var content: [UInt8] = []
        while let byte = current, byte != UInt8(ascii: "\n") {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                advance()
                return .string(content)
            }
            if let scalar, let unusual = UnusualCharacter(scalar.value), unusual.meaning == .quote {
                advance(by: scalar.byteCount)
                return .string(content)
            }
            content.append(byte)
            advance()
        }
        return .string(content)
    }

    /// Takes what is neither ASCII nor stands for it, and says what it is.
    private mutating func takeForeign() -> String {
        guard let first = scalar else {
            let byte = bytes[index]
            advance()
            return "Invalid character byte \(byte), which is not UTF-8"
        }
        while let scalar, scalar.value.value > 0x7F, UnusualCharacter(scalar.value) == nil {
            advance(by: scalar.byteCount)
        }
        return "Invalid character \(UnusualCharacter.code(first.value)), '\(first.value)': names of fields are ASCII"
    }

    private mutating func skipBlanks() {
        while let byte = current {
            if byte == UInt8(ascii: "#") {
                while let byte = current, byte != UInt8(ascii: "\n") { advance() }
            } else if byte == 0x20 || (0x09...0x0D).contains(byte) {
                advance()
            } else if byte == UInt8(ascii: "/"), index + 1 < bytes.count,
                bytes[index + 1] == byte || bytes[index + 1] == UInt8(ascii: "*")
            {
                skipForeignComment(isBlock: bytes[index + 1] != byte)
            } else if byte > 0x7F, let scalar, UnusualCharacter(scalar.value)?.meaning == .blank {
                _ = takeUnusual()
            } else {
                return
            }
        }
    }

    /// A comment as other languages write it.
    private mutating func skipForeignComment(isBlock: Bool) {
        complaints.add(
            "Invalid character '/'", "comments begin with # and end with the line, not with \(isBlock ? "/*" : "//")",
            at: position)
        advance(by: 2)
        while let byte = current {
            if isBlock, byte == UInt8(ascii: "*"), index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "/") {
                return advance(by: 2)
            }
            if !isBlock, byte == UInt8(ascii: "\n") { return }
            advance()
        }
    }

    private mutating func takeWhile(_ isWanted: (UInt8) -> Bool) -> String {
        let start = index
        while let byte = current, isWanted(byte) { advance() }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    /// Digits, letters and dots, and a sign behind an exponent: whether that is a number is for the reader to say.
    private mutating func takeNumber() -> String {
        let start = index
        let isHexadecimal = bytes[index...].starts(with: [0x30, 0x78]) || bytes[index...].starts(with: [0x30, 0x58])
        while let byte = current {
            let previous = index > start ? bytes[index - 1] : 0
            let isExponentSign =
                (byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")) && !isHexadecimal
                && (previous == UInt8(ascii: "e") || previous == UInt8(ascii: "E"))
            guard Self.isLetter(byte) || Self.isDigit(byte) || byte == UInt8(ascii: ".") || isExponentSign else {
                break
            }
            advance()
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func takeString(quote: UInt8) -> Token {
        advance()
        var content: [UInt8] = []
        while let byte = current {
            if byte == quote {
                advance()
                return .string(content)
            }
            if byte == UInt8(ascii: "\n") { return .invalid(Self.unended(content)) }
            advance()
            guard byte == UInt8(ascii: "\\") else {
                content.append(byte)
                continue
            }
            guard let escaped = takeEscape() else { return .invalid("Invalid escape sequence in string literal") }
            content += escaped
        }
        return .invalid("Unexpected end of string")
    }

    /// Why a string does not end in its line.
    private static func unended(_ content: [UInt8]) -> String {
        let reason = "String literals cannot cross line boundaries"
        let quote = String(decoding: content, as: UTF8.self).unicodeScalars.compactMap(UnusualCharacter.init)
            .last { $0.meaning == .quote }
        guard let quote else { return reason }
        return "\(reason), and \(UnusualCharacter.code(quote.scalar)), \(quote.name), ends none: \(quote.advice)"
    }

    private mutating func takeEscape() -> [UInt8]? {
        guard let byte = current else { return nil }
        advance()
        switch byte {
        case UInt8(ascii: "a"): return [0x07]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "v"): return [0x0B]
        case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "?"): return [byte]
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            return takeDigits(radix: 16, first: nil, most: 2).map { [UInt8(truncatingIfNeeded: $0)] }
        case UInt8(ascii: "u"): return takeScalar(digits: 4)
        case UInt8(ascii: "U"): return takeScalar(digits: 8)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            guard let value = takeDigits(radix: 8, first: byte, most: 2), value <= 0xFF else { return nil }
            return [UInt8(truncatingIfNeeded: value)]
        default: return nil
        }
    }

    private mutating func takeScalar(digits: Int) -> [UInt8]? {
        let start = index
        guard let value = takeDigits(radix: 16, first: nil, most: digits), index - start == digits,
            let scalar = Unicode.Scalar(value)
        else { return nil }
        return Array(String(Character(scalar)).utf8)
    }

    private mutating func takeDigits(radix: Int, first: UInt8?, most: Int) -> UInt32? {
        var text = first.map { [$0] } ?? []
        let limit = text.count + most
        while text.count < limit, let byte = current,
            Character(Unicode.Scalar(byte)).hexDigitValue.map({ $0 < radix }) == true
        {
            text.append(byte)
            advance()
        }
        return text.isEmpty ? nil : UInt32(String(decoding: text, as: UTF8.self), radix: radix)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == UInt8(ascii: "_")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
