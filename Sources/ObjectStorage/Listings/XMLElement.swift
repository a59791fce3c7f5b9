internal import Tensors

/// An element of a small XML document, as stores answer with.
struct XMLElement: Hashable {
    /// Without a namespace.
    var name: String
    /// All text directly in it.
    var text = ""
    var children: [XMLElement] = []

    subscript(name: String) -> XMLElement? { children.first { $0.name == name } }

    /// The text of the child with that name.
    func text(of name: String) -> String? { self[name]?.text }

    func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }
}

/// Reads XML without document types, so that nothing in it can grow.
struct XMLReader {
    /// Elements inside each other, elements in all, and bytes of a name.
    static let limits = (depth: 16, elements: 100_000, name: 256)

    private var rest: ArraySlice<UInt8>
    private let count: Int
    private var elements = 0

    /// - Throws: `internal` that says at which byte it is not what it should be.
    static func element(_ bytes: [UInt8]) throws(HalcyonError) -> XMLElement {
        var reader = XMLReader(rest: bytes[...], count: bytes.count)
        if reader.rest.starts(with: [0xEF, 0xBB, 0xBF]) { reader.rest.removeFirst(3) }
        return try reader.document()
    }

    private init(rest: ArraySlice<UInt8>, count: Int) {
        self.rest = rest
        self.count = count
    }

    private func failure(_ what: String) -> HalcyonError {
        HalcyonError(.internal, "the store's answer is no XML that can be read: \(what) at byte \(count - rest.count)")
    }

    private mutating func document() throws(HalcyonError) -> XMLElement {
        var open: [XMLElement] = []
        while true {
            let text = try takeText()
            if let last = open.indices.last {
                open[last].text += text
            } else if text.contains(where: { !$0.isWhitespace }) {
                throw failure("text outside of all elements")
            }
            guard !rest.isEmpty else { throw failure("it ends too early") }
            if try skip("<?", to: "?>") { continue }
            if try skip("<!--", to: "-->") { continue }
            if take("<![CDATA[") {
                guard let end = find("]]>"), !open.isEmpty else { throw failure("text without an end") }
                open[open.count - 1].text += try string(rest[rest.startIndex..<end])
                rest = rest[(end + 3)...]
                continue
            }
            if take("</") {
                let name = try takeName()
                skipSpace()
                guard take(">"), let element = open.popLast(), element.name == name else {
                    throw failure("another end than that of the element")
                }
                guard let parent = open.indices.last else { return try ended(element) }
                open[parent].children.append(element)
                continue
            }
            guard take("<"), rest.first != UInt8(ascii: "!") else {
                throw failure("a document type, which is not taken")
            }
            let (element, isEmpty) = try takeStart()
            guard open.count < Self.limits.depth else {
                throw failure("more than \(Self.limits.depth) elements inside each other")
            }
            elements += 1
            guard elements <= Self.limits.elements else { throw failure("more than \(Self.limits.elements) elements") }
            if !isEmpty {
                open.append(element)
            } else if let parent = open.indices.last {
                open[parent].children.append(element)
            } else {
                return try ended(element)
            }
        }
    }

    private mutating func ended(_ element: XMLElement) throws(HalcyonError) -> XMLElement {
        while true {
            skipSpace()
            if try skip("<?", to: "?>") { continue }
            guard try skip("<!--", to: "-->") else { break }
        }
        guard rest.isEmpty else { throw failure("something behind the last element") }
        return element
    }

    private mutating func takeStart() throws(HalcyonError) -> (XMLElement, isEmpty: Bool) {
        let element = XMLElement(name: try takeName())
        // Attributes say nothing that is needed.
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: ">"): return (element, false)
            case UInt8(ascii: "/"):
                guard take(">") else { throw failure("a slash in an element") }
                return (element, true)
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                guard let end = rest.firstIndex(of: byte) else { throw failure("an attribute without an end") }
                rest = rest[(end + 1)...]
            default: continue
            }
        }
        throw failure("it ends too early")
    }

    private mutating func takeName() throws(HalcyonError) -> String {
        let bytes = rest.prefix { !" \t\r\n/>".utf8.contains($0) }
        guard !bytes.isEmpty, bytes.count <= Self.limits.name else { throw failure("no name of an element") }
        rest = rest[bytes.endIndex...]
        let name = try string(bytes)
        return name.split(separator: ":").last.map { String($0) } ?? name
    }

    /// The text up to the next element, with its references resolved.
    private mutating func takeText() throws(HalcyonError) -> String {
        var bytes: [UInt8] = []
        while let byte = rest.first, byte != UInt8(ascii: "<") {
            rest.removeFirst()
            guard byte == UInt8(ascii: "&") else {
                bytes.append(byte)
                continue
            }
            guard let end = rest.prefix(12).firstIndex(of: UInt8(ascii: ";")),
                let character = Self.reference(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
            else { throw failure("a reference that is not known") }
            bytes += Array(String(character).utf8)
            rest = rest[(end + 1)...]
        }
        return try string(bytes[...])
    }

    private static func reference(_ name: String) -> Unicode.Scalar? {
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard name.hasPrefix("#") else { return nil }
            let isHexadecimal = name.hasPrefix("#x")
            return UInt32(name.dropFirst(isHexadecimal ? 2 : 1), radix: isHexadecimal ? 16 : 10)
                .flatMap { Unicode.Scalar($0) }
        }
    }

    private func string(_ bytes: ArraySlice<UInt8>) throws(HalcyonError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw failure("what is not UTF-8") }
        return text
    }

    private mutating func skipSpace() { rest = rest.drop { " \t\r\n".utf8.contains($0) } }

    private mutating func take(_ text: String) -> Bool {
        guard rest.starts(with: text.utf8) else { return false }
        rest = rest.dropFirst(text.utf8.count)
        return true
    }

    /// What begins and does not end is refused at once: looked through again from each beginning of many, a large
    /// document would take hours.
    private mutating func skip(_ start: String, to end: String) throws(HalcyonError) -> Bool {
        guard rest.starts(with: start.utf8) else { return false }
        guard let index = find(end) else { throw failure("'\(start)' without an end") }
        rest = rest[(index + end.utf8.count)...]
        return true
    }

    /// Where a text begins next.
    private func find(_ text: String) -> Int? {
        let wanted = Array(text.utf8)
        return rest.indices.first { rest[$0] == wanted[0] && rest[$0...].starts(with: wanted) }
    }
}
