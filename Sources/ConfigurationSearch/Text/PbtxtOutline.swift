/// Where in the text of a configuration each field stands, so that one can be changed and all others, with their
/// comments, stay as they are. The text is one that has been read already.
struct PbtxtOutline {
    struct Field {
        var name: String
        /// From the name's first byte to behind the value.
        var range: Range<Int>
        var value: Range<Int>
        /// Of a message, or of each message of a list: what is between the braces, and the fields there.
        var messages: [Message] = []
    }

    struct Message {
        /// Between the braces.
        var range: Range<Int>
        var fields: [Field]
    }

    let text: [UInt8]
    private(set) var fields: [Field] = []
    private var position = 0

    init(_ text: [UInt8]) {
        self.text = text
        fields = readFields(until: nil)
    }

    // MARK: Reading

    private var byte: UInt8? { position < text.count ? text[position] : nil }

    /// Over blanks, separators and comments.
    private mutating func skip() {
        while let byte {
            if byte == UInt8(ascii: "#") {
                while let byte = self.byte, byte != UInt8(ascii: "\n") { position += 1 }
            } else if byte <= 0x20 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") {
                position += 1
            } else {
                return
            }
        }
    }

    private mutating func readFields(until end: UInt8?) -> [Field] {
        var fields: [Field] = []
        while true {
            skip()
            guard let byte else { return fields }
            if byte == end { return fields }
            let start = position
            while let byte = self.byte, Self.isWord(byte) { position += 1 }
            guard position > start else {
                // Nothing that a field begins with: it is not for this to complain.
                position += 1
                continue
            }
            var field = Field(
                name: String(decoding: text[start..<position], as: UTF8.self), range: start..<position,
                value: position..<position)
            skip()
            if self.byte == UInt8(ascii: ":") {
                position += 1
                skip()
            }
            let value = position
            readValue(&field)
            field.value = value..<position
            field.range = start..<position
            fields.append(field)
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "+")
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private mutating func readValue(_ field: inout Field) {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "<"):
            let end: UInt8 = byte == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: ">")
            position += 1
            let start = position
            let fields = readFields(until: end)
            field.messages.append(Message(range: start..<position, fields: fields))
            if position < text.count { position += 1 }
        case UInt8(ascii: "["):
            position += 1
            skip()
            while let byte, byte != UInt8(ascii: "]") {
                let before = position
                readValue(&field)
                if position == before { position += 1 }
                skip()
            }
            if position < text.count { position += 1 }
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            let start = position
            readText()
            // Texts one behind the other are one.
            var end = position
            skip()
            while byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'"),
                text[start..<position].last != UInt8(ascii: ",")
            {
                guard !text[end..<position].contains(UInt8(ascii: ",")) else { break }
                readText()
                end = position
                skip()
            }
            position = end
        default:
            while let byte = self.byte, Self.isWord(byte) { position += 1 }
        }
    }

    private mutating func readText() {
        let quote = byte
        position += 1
        while let byte, byte != quote { position += byte == UInt8(ascii: "\\") ? 2 : 1 }
        position = min(text.count, position + 1)
    }
}
