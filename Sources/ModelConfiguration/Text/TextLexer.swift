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
        advance()
        if "{}<>[]:,;-".utf8.contains(byte) { return (.symbol(byte), start) }
        let shown = byte < 0x20 || byte > 0x7E ? "byte \(byte)" : "'\(Character(Unicode.Scalar(byte)))'"
        return (.invalid("Invalid character \(shown)"), start)
    }

    private mutating func skipBlanks() {
        while let byte = current {
            if byte == UInt8(ascii: "#") {
                while let byte = current, byte != UInt8(ascii: "\n") { advance() }
            } else if byte == 0x20 || (0x09...0x0D).contains(byte) {
                advance()
            } else {
                return
            }
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
            if byte == UInt8(ascii: "\n") { return .invalid("String literals cannot cross line boundaries") }
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
