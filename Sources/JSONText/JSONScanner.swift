/// Reads a JSON text (RFC 8259) value by value, as the caller asks for them, without making a tree.
///
/// `NaN`, `Infinity` and `-Infinity` are numbers too, as in Triton. The bytes must outlive the scanner.
package struct JSONScanner {
    private let text: UnsafeBufferPointer<UInt8>
    /// The next byte to look at.
    package private(set) var position = 0
    private var depth = 0
    private let limits: JSONLimits
    /// How many values there may still be in trees.
    private var valuesLeft: Int

    /// - Parameter maximumDepth: how many arrays and objects may be nested.
    package init(_ text: UnsafeRawBufferPointer, maximumDepth: Int) {
        self.init(text, limits: JSONLimits(depth: maximumDepth))
    }

    package init(_ text: UnsafeRawBufferPointer, limits: JSONLimits) {
        self.text = text.bindMemory(to: UInt8.self)
        self.limits = limits
        valuesLeft = limits.values
    }

    /// The kind of the next value, by its first byte.
    package enum Kind { case object, array, string, number, bool, null }

    /// Bytes that are not read yet.
    package var remaining: Int { text.count - position }

    // MARK: Structure

    package mutating func kind() throws -> Kind {
        switch try next() {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
        case UInt8(ascii: "n"): .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "N"), UInt8(ascii: "I"): .number
        default: throw error("Invalid value.")
        }
    }

    /// Whether the next value begins as a finite number does; cheaper to ask than ``kind()``.
    package mutating func isAtNumber() -> Bool {
        skipBlanks()
        guard position < text.count else { return false }
        return text[position] &- UInt8(ascii: "0") < 10 || text[position] == UInt8(ascii: "-")
    }

    /// Reads an object; `member` gets each key and must read its value.
    package mutating func object(_ member: (inout JSONScanner, String) throws -> Void) throws {
        try open(UInt8(ascii: "{"), "an object")
        if try next() == UInt8(ascii: "}") { return close() }
        while true {
            guard try next() == UInt8(ascii: "\"") else { throw error("Missing a name for object member.") }
            let name = try string(longest: limits.nameLength)
            guard try next() == UInt8(ascii: ":") else { throw error("Missing a colon after a name of object member.") }
            position += 1
            try member(&self, name)
            switch try next() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"): return close()
            default: throw error("Missing a comma or } after an object member.")
            }
        }
    }

    /// Reads an array; `element` must read one value each time.
    package mutating func array(_ element: (inout JSONScanner) throws -> Void) throws {
        try open(UInt8(ascii: "["), "an array")
        if try next() == UInt8(ascii: "]") { return close() }
        while true {
            try element(&self)
            switch try next() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "]"): return close()
            default: throw error("Missing a comma or ] after an array element.")
            }
        }
    }

    /// Complains about anything but blanks behind the value.
    package mutating func end() throws {
        skipBlanks()
        if position < text.count { throw error("The document root must not be followed by other values.") }
    }

    private mutating func open(_ bracket: UInt8, _ what: String) throws {
        guard try next() == bracket else { throw error("expected \(what)") }
        depth += 1
        guard depth <= limits.depth else {
            throw error("arrays and objects are nested over \(limits.depth) deep, which is the limit")
        }
        position += 1
    }

    private mutating func close() {
        depth -= 1
        position += 1
    }

    // MARK: Values

    /// - Parameter longest: bytes that it may have in the text; nothing is made of more.
    package mutating func string(longest: Int = .max) throws -> String {
        guard try next() == UInt8(ascii: "\"") else { throw error("expected a string") }
        let start = position + 1
        let end = plainEnd(from: start)
        guard end < text.count else { throw JSONError("Missing a closing quotation mark in string.", at: start - 1) }
        guard end - start <= longest else { throw tooLong(longest, at: start - 1) }
        if text[end] == UInt8(ascii: "\"") {
            position = end + 1
            return try utf8(UnsafeBufferPointer(rebasing: text[start..<end]), at: start)
        }
        var bytes = Array(text[start..<end])
        position = end
        try appendEscaped(to: &bytes, start: start, longest: longest)
        return try bytes.withUnsafeBufferPointer { try utf8($0, at: start) }
    }

    /// Where the characters of a string end that stand for themselves.
    private func plainEnd(from start: Int) -> Int {
        var end = start
        while end < text.count, text[end] != UInt8(ascii: "\""), text[end] != UInt8(ascii: "\\"), text[end] >= 0x20 {
            end += 1
        }
        return end
    }

    private func tooLong(_ limit: Int, at offset: Int) -> JSONError {
        JSONError("a text is over \(limit) bytes, the limit for it,", at: offset)
    }

    /// Reads over a string without making one.
    private mutating func skipString() throws {
        guard try next() == UInt8(ascii: "\"") else { throw error("expected a string") }
        let start = position
        var escaped: [UInt8] = []
        position += 1
        while true {
            position = plainEnd(from: position)
            guard position < text.count else {
                throw JSONError("Missing a closing quotation mark in string.", at: start)
            }
            if text[position] == UInt8(ascii: "\"") {
                position += 1
                return
            }
            guard text[position] == UInt8(ascii: "\\") else { throw error("Invalid encoding in string.") }
            try appendEscape(to: &escaped)
            escaped.removeAll(keepingCapacity: true)
        }
    }

    private func utf8(_ bytes: UnsafeBufferPointer<UInt8>, at offset: Int) throws -> String {
        guard let string = String(utf8: bytes) else {
            throw JSONError("Invalid encoding in string.", at: offset)
        }
        return string
    }

    private mutating func appendEscaped(to bytes: inout [UInt8], start: Int, longest: Int) throws {
        while position < text.count {
            guard bytes.count <= longest else { throw tooLong(longest, at: start - 1) }
            let byte = text[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"): try appendEscape(to: &bytes)
            case ..<0x20: throw error("Invalid encoding in string.")
            default:
                bytes.append(byte)
                position += 1
            }
        }
        throw JSONError("Missing a closing quotation mark in string.", at: start - 1)
    }

    private static let simpleEscapes: [UInt8: UInt8] = [
        UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "\\"): UInt8(ascii: "\\"),
        UInt8(ascii: "/"): UInt8(ascii: "/"), UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10,
        UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
    ]

    private mutating func appendEscape(to bytes: inout [UInt8]) throws {
        guard position + 1 < text.count else { throw error("Invalid escape character in string.") }
        let letter = text[position + 1]
        if let byte = Self.simpleEscapes[letter] {
            bytes.append(byte)
            position += 2
            return
        }
        guard letter == UInt8(ascii: "u") else { throw error("Invalid escape character in string.") }
        position += 2
        var scalar = try hexadecimal()
        if (0xD800..<0xDC00).contains(scalar) {
            guard position + 1 < text.count, text[position] == UInt8(ascii: "\\"),
                text[position + 1] == UInt8(ascii: "u")
            else { throw error("The surrogate pair in string is invalid.") }
            position += 2
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low) else { throw error("The surrogate pair in string is invalid.") }
            scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let character = Unicode.Scalar(scalar) else { throw error("The surrogate pair in string is invalid.") }
        bytes.append(contentsOf: Array(String(character).utf8))
    }

    private mutating func hexadecimal() throws -> UInt32 {
        guard position + 4 <= text.count else { throw error("Incorrect hex digit after \\u escape in string.") }
        var value: UInt32 = 0
        for byte in text[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw error("Incorrect hex digit after \\u escape in string.")
            }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }

    package mutating func bool() throws -> Bool {
        if try take("true") { return true }
        if try take("false") { return false }
        throw error("expected true or false")
    }

    package mutating func null() throws {
        guard try take("null") else { throw error("Invalid value.") }
    }

    private mutating func take(_ word: StaticString) throws -> Bool {
        skipBlanks()
        let count = word.utf8CodeUnitCount
        guard count <= text.count - position else { return false }
        let matches = UnsafeBufferPointer(start: word.utf8Start, count: count).elementsEqual(
            text[position..<position + count])
        if matches { position += count }
        return matches
    }

    package mutating func number() throws -> JSONNumber {
        if let special = try special() { return .double(special) }
        let decimal = try decimal()
        if decimal.isWhole, decimal.isExact {
            if decimal.isNegative {
                if decimal.digits <= UInt64(Int64.max) { return .integer(-Int64(decimal.digits)) }
                if decimal.digits == UInt64(Int64.max) + 1 { return .integer(.min) }
            } else {
                return Int64(exactly: decimal.digits).map { .integer($0) } ?? .unsigned(decimal.digits)
            }
        }
        return .double(decimal.double(in: text))
    }

    /// A number rounded once, to 32 bits.
    package mutating func float() throws -> Float {
        if let special = try special() { return Float(special) }
        return try decimal().float(in: text)
    }

    package mutating func double() throws -> Double {
        if let special = try special() { return special }
        return try decimal().double(in: text)
    }

    private mutating func special() throws -> Double? {
        let first = try next()
        if first &- UInt8(ascii: "0") < 10 { return nil }
        // Most that begin with a sign go on with a digit.
        if first == UInt8(ascii: "-"), position + 1 < text.count, text[position + 1] &- UInt8(ascii: "0") < 10 {
            return nil
        }
        if try take("NaN") { return .nan }
        if try take("Infinity") { return .infinity }
        if try take("-Infinity") { return -.infinity }
        return nil
    }

    private mutating func decimal() throws -> JSONDecimal {
        let start = position
        var index = position
        var decimal = JSONDecimal(range: start..<start)
        if index < text.count, text[index] == UInt8(ascii: "-") {
            decimal.isNegative = true
            index += 1
        }
        let firstDigit = index
        index = digits(from: index, into: &decimal)
        guard index > firstDigit, index == firstDigit + 1 || text[firstDigit] != UInt8(ascii: "0") else {
            throw JSONError("Invalid value.", at: start)
        }
        if index < text.count, text[index] == UInt8(ascii: ".") {
            decimal.isWhole = false
            let fraction = index + 1
            index = digits(from: fraction, into: &decimal)
            guard index > fraction else { throw JSONError("Miss fraction part in number.", at: start) }
            decimal.exponent = fraction - index
        }
        if index < text.count, text[index] | 0x20 == UInt8(ascii: "e") {
            index = try exponent(from: index + 1, into: &decimal, start: start)
        }
        guard index - start <= limits.numberLength else {
            throw JSONError("a number is over \(limits.numberLength) characters, the limit for it,", at: start)
        }
        decimal.range = start..<index
        position = index
        return decimal
    }

    private func digits(from start: Int, into decimal: inout JSONDecimal) -> Int {
        var index = start
        while index < text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            let (product, isLarge) = decimal.digits.multipliedReportingOverflow(by: 10)
            let (sum, isTooLarge) = product.addingReportingOverflow(UInt64(digit))
            if isLarge || isTooLarge { decimal.isExact = false }
            decimal.digits = sum
            index += 1
        }
        return index
    }

    private func exponent(from start: Int, into decimal: inout JSONDecimal, start number: Int) throws -> Int {
        decimal.isWhole = false
        var index = start
        var isNegative = false
        if index < text.count, text[index] == UInt8(ascii: "-") || text[index] == UInt8(ascii: "+") {
            isNegative = text[index] == UInt8(ascii: "-")
            index += 1
        }
        let first = index
        var value = 0
        while index < text.count, text[index] &- UInt8(ascii: "0") < 10 {
            // An exponent this large is infinity or zero anyway; the library's function reads its digits again.
            value = min(value * 10 + Int(text[index] - UInt8(ascii: "0")), 100_000)
            index += 1
        }
        guard index > first else { throw JSONError("Miss exponent in number.", at: number) }
        decimal.exponent += isNegative ? -value : value
        return index
    }

    /// The next value as a tree.
    package mutating func value() throws -> JSONValue {
        valuesLeft -= 1
        guard valuesLeft >= 0 else { throw error("the document has over \(limits.values) values, which is the limit,") }
        switch try kind() {
        case .object:
            var members: [(String, JSONValue)] = []
            try object { scanner, name in members.append((name, try scanner.value())) }
            return .object(members.map { .init($0.0, $0.1) })
        case .array:
            var elements: [JSONValue] = []
            try array { elements.append(try $0.value()) }
            return .array(elements)
        case .string: return .string(try string())
        case .bool: return .bool(try bool())
        case .null:
            try null()
            return .null
        case .number:
            return switch try number() {
            case .integer(let value): .integer(value)
            case .unsigned(let value): .unsigned(value)
            case .double(let value): .number(value)
            }
        }
    }

    /// Reads over the next value.
    package mutating func skip() throws {
        switch try kind() {
        case .object: try object { scanner, _ in try scanner.skip() }
        case .array: try array { try $0.skip() }
        case .string: try skipString()
        case .bool: _ = try bool()
        case .null: try null()
        case .number: _ = try number()
        }
    }

    // MARK: Bytes

    private mutating func skipBlanks() {
        while position < text.count {
            switch text[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    /// The next byte that is no blank, without reading over it.
    private mutating func next() throws -> UInt8 {
        skipBlanks()
        guard position < text.count else {
            throw error(position == 0 ? "The document is empty." : "Invalid value.")
        }
        return text[position]
    }

    package func error(_ reason: String) -> JSONError { JSONError(reason, at: position) }
}
