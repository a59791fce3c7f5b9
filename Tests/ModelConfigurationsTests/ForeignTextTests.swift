import Testing

@testable import ModelConfigurations

@Suite("Configurations from other programs")
struct ForeignTextTests {
    private func complaints(_ text: String) -> [String] { read(text).diagnostics.map(\.description) }

    @Test(
        "A character that looks like another is complained about once, by its name",
        arguments: [
            (
                "\u{FEFF}max_batch_size: 4",
                "1:1: error: Expected identifier, got: Invalid character U+FEFF, a byte order mark"
            ),
            (
                "max_batch_size:\u{A0}4",
                "1:16: error: Expected identifier, got: Invalid character U+00A0, a no-break space"
            ),
            (
                "max_batch_size\u{200B}: 4",
                "1:15: error: Expected identifier, got: Invalid character U+200B, a space without width"
            ),
            ("name: “m”", "1:7: error: Expected identifier, got: Invalid character U+201C, a curly quote"),
            ("name: ‘m’", "1:7: error: Expected identifier, got: Invalid character U+2018, a curly quote"),
            ("name: `m`", "1:7: error: Expected identifier, got: Invalid character U+0060, a curly quote"),
            (
                "input { name: \"A\" data_type: TYPE_FP32 dims: [ –1 ] }",
                "1:48: error: Expected identifier, got: Invalid character U+2013, a dash"
            ),
            ("max_batch_size：4", "1:15: error: Expected identifier, got: Invalid character U+FF1A, a wide form of :"),
            (
                "// The model.\nmax_batch_size: 4 // items",
                "1:1: error: Expected identifier, got: Invalid character '/' (comments begin with #"
            ),
            (
                "/* The\nmodel */ max_batch_size: 4",
                "1:1: error: Expected identifier, got: Invalid character '/' (comments begin with #"
            ),
        ])
    func unusual(text: String, start: String) {
        let all = complaints(text)
        #expect(all.count == 1, "\(all)")
        #expect(all.first?.hasPrefix("config.pbtxt:" + start) == true, "\(all)")
    }

    @Test("How many more of them there are is said, and other faults are too")
    func counted() {
        let text = "max_batch_size:\u{A0}4\n\u{A0}\u{A0}max_batch_sise: 1"
        let all = complaints(text)
        #expect(all.count == 2)
        #expect(all.first?.hasSuffix("(write an ordinary space; 2 more of them follow)") == true)
        #expect(all.last?.contains("has no field named \"max_batch_sise\"") == true)
    }

    @Test("A string that ends with a curly quote does not end, and that is why")
    func mixedQuotes() {
        let all = complaints("name: \"m”\nmax_batch_size: 4")
        #expect(all.count == 1)
        #expect(all.first?.contains("U+201D, a curly quote, ends none: write \"") == true, "\(all)")
    }

    @Test("Other characters are a complaint each word, not each byte")
    func foreign() {
        let all = complaints("имя: \"m\"")
        #expect(all.count == 1, "\(all)")
        #expect(all.first?.contains("Invalid character U+0438, 'и'") == true, "\(all)")
        let latin = ConfigurationReader.read([0xE9, 0x0A], file: "f", modelName: "m").diagnostics
        #expect(latin.map(\.message) == ["Expected identifier, got: Invalid character byte 233, which is not UTF-8"])
    }

    @Test("Strings and comments may hold anything")
    func strings() {
        #expect(
            complaints("# “quoted” // \u{A0}\nparameters { key: \"a // “b”\" value { string_value: \"\u{A0}–\" } }")
                .isEmpty)
    }

    @Test(
        "What is no text of a configuration is said once",
        arguments: [
            ("{ \"max_batch_size\": 4,\n \"input\": [] }", "this is JSON", "halcyon config --file"),
            ("\u{FEFF}\n  {}", "this is JSON", "halcyon config --file"),
            (
                "version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "this is a pointer of Git LFS",
                "git lfs pull"
            ),
            ("<!DOCTYPE html>\n<html>", "this is a web page or XML", "fetch the file anew"),
            ("a\0b", "the file is no text", "name: "),
        ])
    func wholeFiles(text: String, message: String, hint: String) throws {
        let all = read(text).diagnostics
        #expect(all.count == 1)
        let only = try #require(all.first)
        #expect(only.message.hasPrefix(message) && only.hint.contains(hint) && only.line == 1)
    }

    @Test("UTF-16 is said too")
    func wide() {
        let bytes: [UInt8] = [0xFF, 0xFE, 0x6E, 0, 0x61, 0]
        #expect(
            ConfigurationReader.read(bytes, file: "f", modelName: "m").diagnostics.map(\.message) == [
                "the file is UTF-16, and UTF-8 is expected"
            ])
    }

    @Test(
        "Types by other names are told",
        arguments: [
            ("FP32", "TYPE_FP32"), ("float32", "TYPE_FP32"), ("TYPE_FLOAT", "TYPE_FP32"), ("int64", "TYPE_INT64"),
            ("TYPE_BYTES", "TYPE_STRING"), ("np", "one of"), ("string", "TYPE_STRING"), ("type_uint8", "TYPE_UINT8"),
        ])
    func types(written: String, meant: String) {
        let all = read("input { name: \"A\" data_type: \(written) dims: [ 1 ] }").diagnostics
        #expect(all.first?.hint.contains(meant) == true, "\(all)")
    }

    @Test(
        "Values in quotes and without, and other prefixes",
        arguments: [
            ("name: m", "write it in quotes: \"m\""), ("name = \"m\"", "write a colon between a field and its value"),
            ("input { name: \"A\" data_type: \"TYPE_FP32\" dims: [ 1 ] }", "write it without quotes: TYPE_FP32"),
            ("instance_group { kind: GPU }", "did you mean 'KIND_GPU'?"),
        ])
    func writing(text: String, hint: String) {
        #expect(read(text).diagnostics.first?.hint == hint, "\(read(text).diagnostics)")
    }
}
