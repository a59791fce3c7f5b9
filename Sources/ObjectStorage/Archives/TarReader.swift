internal import Tensors

/// A tar archive as it comes, part by part: the old form, ustar, GNU's long names and the records of POSIX.
struct TarReader<Visitor: ArchiveVisitor> {
    /// Bytes of a name or of records about the next entry.
    private let longestRecord: Int64 = 1 << 20

    private enum State {
        case header
        case content(left: Int64, isWanted: Bool)
        /// Of an entry that is about the next one.
        case record(type: UInt8, left: Int64)
        case padding(left: Int64, endsFile: Bool)
        case ended
    }

    private(set) var visitor: Visitor
    private var state = State.header
    private var waiting: [UInt8] = []
    private var record: [UInt8] = []
    private var padding: Int64 = 0
    private var nextPath: String?
    private var nextSize: Int64?

    init(_ visitor: Visitor) { self.visitor = visitor }

    private func failure(_ what: String) -> HalcyonError {
        HalcyonError(.invalidArgument, "the archive is no tar archive that can be read: \(what)")
    }

    /// - Throws: `invalidArgument` for what is no archive; what the visitor throws.
    mutating func read(_ bytes: ArraySlice<UInt8>) throws(HalcyonError) {
        var rest = bytes
        while !rest.isEmpty {
            switch state {
            case .ended: return
            case .header:
                let part = rest.prefix(512 - waiting.count)
                waiting += part
                rest = rest.dropFirst(part.count)
                guard waiting.count == 512 else { return }
                let block = waiting
                waiting = []
                try takeHeader(block)
            case .content(let left, let isWanted):
                let part = rest.prefix(Int(clamping: left))
                rest = rest.dropFirst(part.count)
                if isWanted { try visitor.write(part) }
                state = .content(left: left - Int64(part.count), isWanted: isWanted)
                if left == Int64(part.count) { state = .padding(left: padding, endsFile: isWanted) }
            case .record(let type, let left):
                let part = rest.prefix(Int(clamping: left))
                rest = rest.dropFirst(part.count)
                record += part
                state = .record(type: type, left: left - Int64(part.count))
                if left == Int64(part.count) {
                    try takeRecord(type)
                    state = .padding(left: padding, endsFile: false)
                }
            case .padding(let left, let endsFile):
                let part = rest.prefix(Int(clamping: left))
                rest = rest.dropFirst(part.count)
                state = .padding(left: left - Int64(part.count), endsFile: endsFile)
            }
            try closeEmpty()
        }
    }

    /// Goes on from states of which nothing is left.
    private mutating func closeEmpty() throws(HalcyonError) {
        if case .content(0, let isWanted) = state { state = .padding(left: padding, endsFile: isWanted) }
        if case .padding(0, let endsFile) = state {
            state = .header
            if endsFile { try visitor.end() }
        }
    }

    /// Says that there is no more.
    mutating func finish() throws(HalcyonError) {
        switch state {
        case .ended: return
        case .header where waiting.isEmpty: return
        default: throw failure("it ends too early")
        }
    }

    private mutating func takeHeader(_ block: [UInt8]) throws(HalcyonError) {
        if block.allSatisfy({ $0 == 0 }) {
            state = .ended
            return
        }
        let sum = block.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 32 : Int(block[$1])) }
        guard let stated = Self.number(block[148..<156]), stated == Int64(sum) else {
            throw failure("a header's sum is wrong")
        }
        guard let size = nextSize ?? Self.number(block[124..<136]), size >= 0, size < 1 << 50 else {
            throw failure("a size is none")
        }
        let type = block[156]
        padding = (512 - size % 512) % 512
        switch type {
        case UInt8(ascii: "L"), UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "K"):
            guard size <= longestRecord else { throw failure("a name is too long") }
            record = []
            state = .record(type: type, left: size)
            if size == 0 { state = .header }
        default:
            var path = try Self.text(block[0..<100], failure("a name is not UTF-8"))
            if block[257..<262].elementsEqual("ustar".utf8) {
                let prefix = try Self.text(block[345..<500], failure("a name is not UTF-8"))
                // GNU's form has times there.
                if !prefix.isEmpty, block[262] == 0 { path = "\(prefix)/\(path)" }
            }
            path = nextPath ?? path
            (nextPath, nextSize) = (nil, nil)
            let isFolder = type == UInt8(ascii: "5") || path.hasSuffix("/")
            let isFile = type == 0 || type == UInt8(ascii: "0") || type == UInt8(ascii: "7")
            let kind: ArchiveEntry.Kind = isFolder ? .folder : isFile ? .file : .other
            let entry = ArchiveEntry(path: path, kind: kind, byteCount: kind == .file ? size : 0)
            let isWanted = try visitor.begin(entry)
            // Links have a size in some archives and no content.
            let hasContent = isFile || ![UInt8(ascii: "1"), UInt8(ascii: "2"), UInt8(ascii: "5")].contains(type)
            if !hasContent { padding = 0 }
            state = .content(left: hasContent ? size : 0, isWanted: isWanted)
        }
    }

    private mutating func takeRecord(_ type: UInt8) throws(HalcyonError) {
        switch type {
        case UInt8(ascii: "L"): nextPath = try Self.text(record[...], failure("a name is not UTF-8"))
        case UInt8(ascii: "x"):
            var rest = record[...]
            while !rest.isEmpty {
                let digits = rest.prefix { $0 != UInt8(ascii: " ") }
                guard let length = Int(String(decoding: digits, as: UTF8.self)), length > digits.count + 1,
                    length <= rest.count
                else { throw failure("a record's length is none") }
                let field = rest.dropFirst(digits.count + 1).prefix(length - digits.count - 2)
                rest = rest.dropFirst(length)
                guard let equals = field.firstIndex(of: UInt8(ascii: "=")) else {
                    throw failure("a record has no name")
                }
                let value = try Self.text(field[(equals + 1)...], failure("a record is not UTF-8"))
                switch String(decoding: field[..<equals], as: UTF8.self) {
                case "path": nextPath = value
                case "size":
                    guard let size = Int64(value) else { throw failure("a size is none") }
                    nextSize = size
                default: continue
                }
            }
        default: return
        }
    }

    /// Up to the first zero byte.
    private static func text(_ bytes: ArraySlice<UInt8>, _ failure: HalcyonError) throws(HalcyonError) -> String {
        guard let text = String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self) else { throw failure }
        return text
    }

    /// Octal digits, or GNU's numbers that are too large for them.
    private static func number(_ bytes: ArraySlice<UInt8>) -> Int64? {
        if let first = bytes.first, first & 0x80 != 0 {
            let rest = bytes.dropFirst()
            guard first == 0x80, rest.dropLast(8).allSatisfy({ $0 == 0 }) else { return nil }
            return Int64(exactly: rest.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        }
        let digits = bytes.drop { $0 == 0x20 }.prefix { $0 != 0x20 && $0 != 0 }
        return digits.isEmpty ? 0 : Int64(String(decoding: digits, as: UTF8.self), radix: 8)
    }
}
