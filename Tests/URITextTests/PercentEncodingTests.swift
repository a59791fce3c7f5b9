import Testing
import URIText

struct PercentEncodingTests {
    @Test func `All but a few characters are encoded`() {
        #expect(PercentEncoding.encode("a/b c+é~") == "a%2Fb%20c%2B%C3%A9~")
        #expect(PercentEncoding.encode("a/b c", keepsSlashes: true) == "a/b%20c")
        #expect(PercentEncoding.encode("\n") == "%0A")
        #expect(PercentEncoding.encode("AZaz09-._~") == "AZaz09-._~")
    }

    @Test func `What was encoded is decoded, whatever its digits' case`() {
        #expect(PercentEncoding.decode("a%2Fb%20c%2b%C3%A9") == "a/b c+é")
        #expect(PercentEncoding.decode("a+b") == "a+b")
        #expect(PercentEncoding.decode("a+b", plusIsSpace: true) == "a b")
        let all = String((0...0x7F).map { Character(Unicode.Scalar($0)) }) + "é€"
        #expect(PercentEncoding.decode(PercentEncoding.encode(all)[...]) == all)
    }

    @Test(arguments: ["%C3", "%4", "%", "a%", "%zz", "%+1", "%%41"])
    func `What is not percent-encoded, or is not UTF-8, is refused`(text: String) {
        #expect(PercentEncoding.decode(text[...]) == nil)
    }

    @Test(arguments: [
        ("none", "none"), ("100%", "100%"), ("%4", "%4"), ("%+1", "%+1"), ("%%41", "%A"), ("%C3%A9", "é"),
        ("%C3", "\u{FFFD}"),
    ])
    func `In a text for people nothing is refused`(text: String, shown: String) {
        #expect(PercentEncoding.decodeLeniently(text) == shown)
    }
}

struct HexadecimalTests {
    @Test func `Bytes are pairs of digits`() {
        #expect(Hexadecimal.text([0, 0x1F, 0xAB]) == "001fab")
        #expect(Hexadecimal.bytes("001fAB") == [0, 0x1F, 0xAB])
        #expect(Hexadecimal.bytes("") == [])
        #expect(Hexadecimal.bytes("abc") == nil)
        #expect(Hexadecimal.bytes("0g") == nil)
        #expect(Hexadecimal.bytes("é0") == nil)
    }
}
