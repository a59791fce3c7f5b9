import Tensors
import Testing

@testable import ObjectStorage

struct XMLReaderTests {
    private func read(_ text: String) throws -> XMLElement { try XMLReader.element(Array(text.utf8)) }

    @Test func `Elements have names without namespaces, text and children`() throws {
        let text = """
            \u{FEFF}<?xml version="1.0"?><!-- a > b --><s:A xmlns:s="x>y" b='"'>
            <B>1 &lt;&amp;&#233;&#xe9;&quot;&apos;&gt;</B>
            <B/><C><![CDATA[<x>]]></C></s:A>

            """
        let element = try read(text)
        #expect(element.name == "A")
        #expect(element.all("B").map(\.text) == ["1 <&éé\"'>", ""])
        #expect(element.text(of: "C") == "<x>")
        #expect(element.text(of: "D") == nil)
    }

    @Test(arguments: [
        "", "x", "<A>", "<A></B>", "<A/><B/>", "<A>&x;</A>", "<A>&#xD800;</A>",
        "<!DOCTYPE a [<!ENTITY x \"y\">]><A>&x;</A>",
        "<A b=\"></A>", "<>", "</A>", "<A><![CDATA[x</A>", "<A>\u{0}</A", "{\"a\": 1}",
    ])
    func `What is no XML is refused with its place`(text: String) {
        let error = #expect(throws: HalcyonError.self) { try read(text) }
        #expect(error?.message.contains(" at byte ") == true)
    }

    @Test func `What is too deep or too much is refused`() {
        let deep = String(repeating: "<A>", count: 17) + String(repeating: "</A>", count: 17)
        #expect((#expect(throws: HalcyonError.self) { try read(deep) })?.message.contains("inside each other") == true)
        let many = "<A>" + String(repeating: "<B/>", count: 100_001) + "</A>"
        #expect((#expect(throws: HalcyonError.self) { try read(many) })?.message.contains("more than 100000") == true)
        let name = "<" + String(repeating: "a", count: 257) + "/>"
        #expect(throws: HalcyonError.self) { try read(name) }
    }

    @Test(arguments: ["<A><?x</A>", "<A><!-- x</A>", "<A/><!-- x", "<A/><?x", "<?x"])
    func `What begins and does not end is refused where it begins`(text: String) {
        let error = #expect(throws: HalcyonError.self) { try read(text) }
        #expect(error?.message.contains("' without an end at byte ") == true, "\(error?.message ?? "")")
    }

    @Test func `Remarks behind the last element are passed over`() throws {
        #expect(try read("<A/> <!-- x --> <?y?> <!---->\n").name == "A")
    }

    @Test func `Text that is not UTF-8 is refused`() {
        #expect(throws: HalcyonError.self) { try XMLReader.element([0x3C, 0x41, 0x3E, 0xFF, 0x3C, 0x2F, 0x41, 0x3E]) }
    }
}
