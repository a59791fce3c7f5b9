import Tensors
import Testing
import Transport

@Suite("Compression")
struct CompressionTests {
    @Test("There and back, in one part and in several", arguments: Compression.allCases, [0, 1, 1000, 300_000])
    func roundTrip(compression: Compression, count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* $0 / 7) }
        let compressed = try bytes.withUnsafeBytes { whole in
            let middle = count / 2
            return try compression.compress(
                [
                    UnsafeRawBufferPointer(rebasing: whole[..<middle]),
                    UnsafeRawBufferPointer(rebasing: whole[middle...]),
                ],
                level: 1)
        }
        let plain = try compressed.withUnsafeBytes {
            try compression.decompress($0, limit: count, limitName: "limit", budget: .unlimited)
        }
        #expect(plain.withUnsafeBytes { Array($0) } == bytes)
    }

    @Test("A bomb stops at the limit", arguments: Compression.allCases)
    func bomb(compression: Compression) throws {
        let zeros = [UInt8](repeating: 0, count: 10 << 20)
        let compressed = try zeros.withUnsafeBytes { try compression.compress([$0], level: 9) }
        #expect(throws: HalcyonError(.invalidArgument, "the decompressed bytes are over limit, 1000")) {
            try compressed.withUnsafeBytes {
                try compression.decompress($0, limit: 1000, limitName: "limit", budget: .unlimited)
            }
        }
    }

    @Test("What it becomes counts as it comes", arguments: Compression.allCases)
    func budget(compression: Compression) throws {
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        let compressed = try zeros.withUnsafeBytes { try compression.compress([$0], level: 9) }
        let budget = ByteBudget(maximum: 1 << 20)
        do {
            let plain = try compressed.withUnsafeBytes {
                try compression.decompress($0, limit: 2 << 20, limitName: "limit", budget: budget)
            }
            #expect(budget.usedBytes == plain.byteCount)
            #expect(throws: HalcyonError.self) {
                try compressed.withUnsafeBytes {
                    try compression.decompress($0, limit: 2 << 20, limitName: "limit", budget: budget)
                }
            }
        }
        #expect(budget.usedBytes == 0)
    }

    @Test("Cut off, damaged, empty and followed by more", arguments: Compression.allCases)
    func damage(compression: Compression) throws {
        let text = Array("some text that is compressed".utf8)
        let whole = try text.withUnsafeBytes { try compression.compress([$0], level: 1) }
        for bytes in [Array(whole.dropLast()), [], Array(whole.reversed()), whole + [0]] {
            #expect(throws: HalcyonError.self) {
                try bytes.withUnsafeBytes {
                    try compression.decompress($0, limit: 100, limitName: "limit", budget: .unlimited)
                }
            }
        }
    }
}
