import ProtobufWire
import Testing

@Suite("Fields of protobuf messages")
struct ProtobufFieldsTests {
    /// What a reader says of a message: each field, and the damage that ends it.
    private func read(_ message: [UInt8]) -> [String] {
        message.withUnsafeBytes { bytes in
            var fields = ProtobufFields(bytes[...])
            var told: [String] = []
            do {
                while let (field, value) = try fields.next() {
                    switch value {
                    case .varint(let number): told.append("\(field) \(number)")
                    case .fixed32(let bits): told.append("\(field) 32 \(bits)")
                    case .fixed64(let bits): told.append("\(field) 64 \(bits)")
                    case .bytes(let content): told.append("\(field) [\(content.startIndex)..<\(content.endIndex)]")
                    }
                }
                told.append(fields.isAtEnd ? "end" : "more")
            } catch {
                told.append("\(error)")
            }
            return told
        }
    }

    @Test(
        "Each kind of field, and each kind of damage, with its place",
        arguments: [
            ([], ["end"]),
            ([0x08, 0x96, 0x01], ["1 150", "end"]),
            ([0x0D, 1, 0, 0, 0, 0x11, 2, 0, 0, 0, 0, 0, 0, 0], ["1 32 1", "2 64 2", "end"]),
            ([0x08, 1, 0x12, 2, 7, 7, 0x18, 3], ["1 1", "2 [4..<6]", "3 3", "end"]),
            ([0x12, 0], ["2 [2..<2]", "end"]),
            ([0x08, 1, 0x12, 5, 7], ["1 1", "cutShort(field: 2, missing: 4)"]),
            ([0x09, 1, 2], ["cutShort(field: 1, missing: 6)"]),
            ([0x08, 1, 0x08, 0x80], ["1 1", "malformed(offset: 2)"]),
            ([0x00, 1], ["malformed(offset: 0)"]),
            ([0x08] + [UInt8](repeating: 0xFF, count: 11), ["malformed(offset: 0)"]),
            ([0x0E], ["malformed(offset: 0)"]),
            ([0x08, 1, 0x0B], ["1 1", "unusual(offset: 2)"]),
            ([0x80, 0x80, 0x80, 0x80, 0x10, 1], ["unusual(offset: 0)"]),
            (
                [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
                ["cutShort(field: 2, missing: \(UInt64.max))"]
            ),
        ] as [([UInt8], [String])])
    func reads(message: [UInt8], expected: [String]) { #expect(read(message) == expected) }

    @Test("A message inside another keeps the outer one's places, and ends with itself")
    func nested() throws {
        try ([0x0A, 4, 0x12, 2, 0x68, 0x69, 0x18, 1] as [UInt8]).withUnsafeBytes { bytes in
            var seen: [String] = []
            try ProtobufFields.each(bytes[...]) { field, value in
                guard let inner = value.bytes else { return seen.append("\(field) \(value.number ?? 0)") }
                try ProtobufFields.each(inner) { field, value in
                    seen.append("\(field) \(value.text ?? "") at \(value.bytes?.startIndex ?? -1)")
                }
            }
            #expect(seen == ["2 hi at 4", "3 1"])
        }
    }

    @Test("Packed numbers are read to their end")
    func packed() throws {
        try ([1, 0x80, 0x02, 3] as [UInt8]).withUnsafeBytes { bytes in
            var fields = ProtobufFields(bytes[...])
            var numbers: [UInt64] = []
            while !fields.isAtEnd { numbers.append(try fields.varint()) }
            #expect(numbers == [1, 256, 3])
        }
    }
}
