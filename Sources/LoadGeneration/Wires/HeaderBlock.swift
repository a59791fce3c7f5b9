/// Headers of a request in HPACK (RFC 7541), without Huffman's code.
struct HeaderBlock: Sendable {
    /// As they are the first time on a connection: the server is to remember them.
    let first: [UInt8]
    /// As they are from then on: each a number in the server's table.
    let later: [UInt8]
    /// For a server that remembers nothing.
    let plain: [UInt8]

    init(
        path: String, authority: String, usesTLS: Bool, metadata: [(name: String, value: String)]
    ) {
        let fields =
            [(":path", path), (":authority", authority), ("te", "trailers"), ("content-type", "application/grpc")]
            + metadata.map { ($0.name.lowercased(), $0.value) }
        // :method POST, and :scheme.
        let fixed: [UInt8] = [0x83, usesTLS ? 0x87 : 0x86]
        var first = fixed
        var later = fixed
        // No table is to be used from here on.
        var plain = fixed
        for (index, field) in fields.enumerated() {
            first.append(0x40)
            plain.append(0x00)
            for text in [field.0, field.1] {
                Self.append(text, to: &first)
                Self.append(text, to: &plain)
            }
            // The table's own entries begin at 62 with the newest.
            Self.append(UInt64(62 + fields.count - 1 - index), bits: 7, flag: 0x80, to: &later)
        }
        let tableSize = fields.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + 32 }
        self.plain = plain
        // Over the size that every server has, nothing would stay.
        self.first = tableSize <= 4096 ? first : plain
        self.later = tableSize <= 4096 ? later : plain
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        append(UInt64(text.utf8.count), bits: 7, flag: 0, to: &bytes)
        bytes += Array(text.utf8)
    }

    private static func append(_ value: UInt64, bits: UInt8, flag: UInt8, to bytes: inout [UInt8]) {
        let limit = UInt64(1) << bits - 1
        if value < limit { return bytes.append(flag | UInt8(value)) }
        bytes.append(flag | UInt8(limit))
        var rest = value - limit
        while rest >= 128 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
