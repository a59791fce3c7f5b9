import JSONText
import Testing

@Suite("JSON scanner")
struct JSONScannerTests {
    private func scan<Result>(
        _ text: String, depth: Int = 64, _ body: (inout JSONScanner) throws -> Result
    ) throws -> Result {
        var bytes = Array(text.utf8)
        return try bytes.withUnsafeMutableBytes { buffer in
            var scanner = JSONScanner(UnsafeRawBufferPointer(buffer), maximumDepth: depth)
            let result = try body(&scanner)
            try scanner.end()
            return result
        }
    }

    private func value(_ text: String, depth: Int = 64) throws -> JSONValue {
        try scan(text, depth: depth) { try $0.value() }
    }

    private func fault(_ text: String, depth: Int = 64) -> JSONError? {
        do {
            _ = try value(text, depth: depth)
            return nil
        } catch {
            return error as? JSONError
        }
    }

    @Test("What is printed reads back as the same")
    func roundTrip() throws {
        let document: JSONValue = [
            "text": "a\"b\\c\n\u{1}é😀", "numbers": [0, -7, 1.5, 1e300], "flags": [true, false, .null],
            "empty": ["list": [], "object": .object([])], "large": .unsigned(.max), "small": .integer(.min),
        ]
        #expect(try value(document.compact) == document)
        #expect(try value(document.pretty) == document)
    }

    @Test(
        "Escapes",
        arguments: [(#""\u00e9""#, "é"), (#""\ud83d\ude00""#, "😀"), (#""\/\b\f\n\r\t""#, "/\u{8}\u{c}\n\r\t")])
    func escapes(text: String, expected: String) throws {
        #expect(try value(text) == .string(expected))
    }

    @Test(
        "Faults are named with their place",
        arguments: [
            ("", "The document is empty.", 0), ("{", "Invalid value.", 1), ("{1:2}", "Missing a name", 1),
            ("[1 2]", "Missing a comma or ]", 3), ("{\"a\" 1}", "Missing a colon", 5), ("[01]", "Invalid value.", 1),
            ("[1.]", "Miss fraction", 1), ("[1e]", "Miss exponent", 1), ("\"a", "closing quotation", 0),
            ("\"\\x\"", "Invalid escape", 1), ("\"\\ud800\"", "surrogate", 7), ("1 2", "must not be followed", 2),
            ("nul", "Invalid value.", 0), ("\"a\u{1}\"", "Invalid encoding", 2), ("[-]", "Invalid value.", 1),
        ])
    func faults(text: String, reason: String, offset: Int) throws {
        let error = try #require(fault(text))
        #expect(error.reason.contains(reason))
        #expect(error.offset == offset)
    }

    @Test("Bytes that are no UTF-8 are refused, with and without an escape before them")
    func invalidEncoding() {
        for prefix in ["", "\\n"] {
            let bytes = Array("\"\(prefix)".utf8) + [0xC3, 0x28, UInt8(ascii: "\"")]
            #expect(throws: JSONError.self) {
                try bytes.withUnsafeBytes { buffer in
                    var scanner = JSONScanner(buffer, maximumDepth: 4)
                    _ = try scanner.string()
                }
            }
        }
    }

    @Test("Nesting stops at the limit")
    func depth() {
        let nested = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(fault(nested(8), depth: 8) == nil)
        #expect(fault(nested(9), depth: 8)?.reason.contains("over 8 deep") == true)
        #expect(fault(nested(100_000), depth: 64)?.offset == 64)
    }

    @Test("Numbers are exact where they are whole, and the nearest where they are not")
    func numbers() throws {
        #expect(try scan("9223372036854775807") { try $0.number() } == .integer(.max))
        #expect(try scan("-9223372036854775808") { try $0.number() } == .integer(.min))
        #expect(try scan("18446744073709551615") { try $0.number() } == .unsigned(.max))
        #expect(try scan("18446744073709551616") { try $0.number() } == .double(18446744073709551616))
        #expect(try scan("-0") { try $0.number() } == .integer(0))
        #expect(try scan("1e5") { try $0.number() } == .double(100_000))
        #expect(try scan("1e999999") { try $0.double() } == .infinity)
        #expect(try scan("-Infinity") { try $0.double() } == -.infinity)
        #expect(try scan("NaN") { try $0.float() }.isNaN)
    }

    @Test("Every number reads as the library reads it, in both precisions")
    func nearest() throws {
        var generator = SplitMix(state: 7)
        for _ in 0..<20_000 {
            let double = Double(bitPattern: generator.next())
            guard double.isFinite else { continue }
            #expect(try scan(double.description) { try $0.double() } == double)
            let single = Float(bitPattern: UInt32(truncatingIfNeeded: generator.next()))
            guard single.isFinite else { continue }
            #expect(try scan(single.description) { try $0.float() } == single)
            // The digits of the wider number, which are not those of the narrower.
            let wide = Double.random(in: -100...100, using: &generator)
            #expect(try scan(wide.description) { try $0.float() } == Float(wide.description))
        }
        // The middle between two numbers, and a hair beside it: rounding twice would go wrong.
        for text in ["16777217", "16777217.0000000001", "1.000000059604644775390625", "1.00000005960464477539062501"] {
            #expect(try scan(text) { try $0.float() } == Float(text))
        }
    }

    @Test("Nothing is made of what is over a limit")
    func limits() {
        func fails(_ text: String, _ change: (inout JSONLimits) -> Void, _ read: (inout JSONScanner) throws -> Void)
            -> Bool
        {
            var limits = JSONLimits(depth: 8)
            change(&limits)
            var bytes = Array(text.utf8)
            return bytes.withUnsafeMutableBytes { bytes in
                var scanner = JSONScanner(UnsafeRawBufferPointer(bytes), limits: limits)
                do {
                    try read(&scanner)
                    return false
                } catch { return true }
            }
        }
        #expect(!fails(#"{"abc":1}"#, { $0.nameLength = 3 }, { _ = try $0.value() }))
        #expect(fails(#"{"abcd":1}"#, { $0.nameLength = 3 }, { _ = try $0.value() }))
        #expect(fails(#"{"\u0061\u0061\u0061\u0061":1}"#, { $0.nameLength = 3 }, { try $0.skip() }))
        #expect(!fails("-1.5", { $0.numberLength = 4 }, { _ = try $0.number() }))
        #expect(fails("-1.55", { $0.numberLength = 4 }, { _ = try $0.float() }))
        #expect(!fails("[1,[2]]", { $0.values = 4 }, { _ = try $0.value() }))
        #expect(fails("[1,[2]]", { $0.values = 3 }, { _ = try $0.value() }))
        #expect(!fails(#""abc""#, { _ in }, { _ = try $0.string(longest: 3) }))
        #expect(fails(#""abcd""#, { _ in }, { _ = try $0.string(longest: 3) }))
    }

    @Test("What is read over is looked at as what is read is")
    func skipping() throws {
        for (text, isWell) in [
            (#""a\n\u00e9b" "#, true), (#""a"#, false), (#""a\x""#, false), (#""a\u00g0""#, false),
            ("\"a\u{1}\"", false),
        ] {
            var bytes = Array(text.utf8)
            let result = bytes.withUnsafeMutableBytes { bytes in
                var scanner = JSONScanner(UnsafeRawBufferPointer(bytes), maximumDepth: 1)
                return Result {
                    try scanner.skip()
                    try scanner.end()
                }
            }
            let isTaken = (try? result.get()) != nil
            #expect(isTaken == isWell)
        }
    }
}

/// Numbers that are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
