/// A character that word processors, web pages and keyboards of other scripts put where the text format wants a plain
/// one. It is read as the one that was meant, so that there is one complaint and not one for each byte.
struct UnusualCharacter: Hashable {
    /// What was meant.
    enum Meaning: Hashable {
        case blank
        case symbol(UInt8)
        /// The beginning or the end of a string.
        case quote
    }

    let scalar: Unicode.Scalar
    let name: String
    let meaning: Meaning
    let advice: String

    var message: String { "Invalid character \(Self.code(scalar)), \(name)" }

    /// `U+00A0`, for instance.
    static func code(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    init?(_ scalar: Unicode.Scalar) {
        self.scalar = scalar
        switch scalar.value {
        case 0xFEFF:
            (name, meaning) = ("a byte order mark", .blank)
            advice = "save the file as UTF-8 without it"
        case 0xA0, 0x202F:
            (name, meaning) = ("a no-break space", .blank)
            advice = "write an ordinary space"
        case 0x200B, 0x200C, 0x200D, 0x2060, 0x180E:
            (name, meaning) = ("a space without width, which no editor shows", .blank)
            advice = "delete it, or type the line anew"
        case 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069:
            (name, meaning) = ("a mark of the direction of writing, which no editor shows", .blank)
            advice = "delete it, or type the line anew"
        case 0x1680, 0x2000...0x200A, 0x205F, 0x3000:
            (name, meaning) = ("a space of another width", .blank)
            advice = "write an ordinary space"
        case 0x85, 0x2028, 0x2029:
            (name, meaning) = ("a line end of another kind", .blank)
            advice = "end the line with a line feed"
        case 0xAD:
            (name, meaning) = ("a soft hyphen, which no editor shows", .blank)
            advice = "delete it, or type the line anew"
        case 0x201C...0x201F, 0xAB, 0xBB, 0x301D...0x301F, 0xFF02:
            (name, meaning) = ("a curly quote", .quote)
            advice = "write \", the straight one"
        case 0x2018...0x201B, 0x2032, 0xB4, 0x60, 0xFF07:
            (name, meaning) = ("a curly quote", .quote)
            advice = "write ' or \", the straight ones"
        case 0x2010...0x2015, 0x2212, 0xFE63:
            (name, meaning) = ("a dash", .symbol(UInt8(ascii: "-")))
            advice = "write -, the hyphen"
        case 0xFF01...0xFF5E:
            guard let byte = UInt8(exactly: scalar.value - 0xFEE0), "{}<>[]:,;-".utf8.contains(byte) else { return nil }
            (name, meaning) = ("a wide form of \(Character(Unicode.Scalar(byte)))", .symbol(byte))
            advice = "write the narrow one"
        default: return nil
        }
    }
}

/// The complaints of a lexer: one for each kind, and how often there was cause for it.
struct CharacterComplaints {
    struct Complaint {
        let message: String
        let advice: String
        /// The first of them.
        let position: TextPosition
        var count = 1
    }

    private(set) var all: [Complaint] = []

    mutating func add(_ message: String, _ advice: String, at position: TextPosition) {
        if let index = all.firstIndex(where: { $0.message == message }) {
            all[index].count += 1
        } else {
            all.append(Complaint(message: message, advice: advice, position: position))
        }
    }
}
