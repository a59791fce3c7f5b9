import Testing

@testable import ObjectStorage

struct UntrustedTextTests {
    @Test func `What others wrote becomes no line of its own`() {
        #expect(UntrustedText.shown("a\nb\r\u{1B}[31mc\u{7F}\u{85}\u{2028}d\u{0}é") == "ab[31mcdé")
        #expect(UntrustedText.shown(String(repeating: "é", count: 1000), most: 3) == "ééé")
    }

    @Test func `A refusal has nothing of the kind`() {
        let refusal = StoreRefusal(code: "A\nB", message: "x\ny", region: "eu\n-west")
        #expect(refusal == StoreRefusal(code: "AB", message: "xy", region: "eu-west"))
    }
}
