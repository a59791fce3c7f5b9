/// Puts bytes together to lines.
struct LineSplitter {
    private var pending: [UInt8] = []

    /// A line that is longer than this is no line that anybody means to be read, and is given out in pieces.
    static let maximumLength = 1 << 20

    /// The lines that these bytes complete.
    mutating func add(_ bytes: some Sequence<UInt8>) -> [String] {
        var lines: [String] = []
        for byte in bytes {
            // A progress bar writes over its own line.
            if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") || pending.count >= Self.maximumLength {
                lines.append(String(decoding: pending, as: UTF8.self))
                pending.removeAll(keepingCapacity: true)
                if byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") { pending.append(byte) }
            } else {
                pending.append(byte)
            }
        }
        return lines
    }

    /// What came after the last line break.
    mutating func finish() -> String? {
        defer { pending = [] }
        return pending.isEmpty ? nil : String(decoding: pending, as: UTF8.self)
    }
}
