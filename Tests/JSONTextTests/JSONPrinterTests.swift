import Foundation
import JSONText
import Testing

@Suite("JSON printer")
struct JSONPrinterTests {
    private let document: JSONValue = [
        "b": [1, -2.5, .unsigned(.max), .null, true], "a": ["empty": .array([]), "none": .object([])],
    ]

    @Test("Compact: no blanks, keys in their order")
    func compact() {
        #expect(
            document.compact == #"{"b":[1,-2.5,18446744073709551615,null,true],"a":{"empty":[],"none":{}}}"#)
    }

    @Test("Pretty: a member a line, two spaces a level")
    func pretty() {
        let expected = """
            {
              "b": [
                1,
                -2.5,
                18446744073709551615,
                null,
                true
              ],
              "a": {
                "empty": [],
                "none": {}
              }
            }
            """
        #expect(document.pretty == expected)
    }

    @Test("Another reader gets back what was written", arguments: ["\"\\\n\r\t\u{0}\u{1F}\u{7F}", "é日本🎉", "</script>"])
    func strings(text: String) throws {
        for printed in [JSONValue.string(text).compact, JSONValue.object([.init(text, .string(text))]).pretty] {
            let read = try JSONSerialization.jsonObject(with: Data(printed.utf8), options: .fragmentsAllowed)
            #expect(read as? String == text || (read as? [String: String]) == [text: text])
        }
    }

    @Test("Numbers that JSON has no word for become null; counts take the narrowest form")
    func numbers() {
        #expect(JSONValue.number(.nan).compact == "null" && JSONValue.number(-.infinity).compact == "null")
        #expect(JSONValue.count(7) == .integer(7) && JSONValue.count(.max) == .unsigned(.max))
    }
}
