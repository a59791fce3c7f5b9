import Halcyon
import KServeProtocol
import ModelRepository
import Tensors
import Testing

@Suite("Requests to load")
struct LoadRequestTests {
    @Test(
        "Base64",
        arguments: [
            ("", []), ("AA==", [0]), ("AP8=", [0, 255]), ("AP8Q", [0, 255, 16]), ("+/+/", [251, 255, 191]), ("A", nil),
            ("AAA", nil), ("A===", nil), ("A=AA", nil), ("AA!=", nil), ("====", nil),
        ] as [(String, [UInt8]?)])
    func base64(text: String, bytes: [UInt8]?) {
        #expect(Base64.decode(text) == bytes)
    }

    @Test("Files need a configuration, and nothing else is known")
    func parameters() throws {
        #expect(try LoadRequest([:]).override == nil)
        let both = try LoadRequest(["config": .text("{}"), "file:1/a": .text("AA==")])
        #expect(both.override?.files["1/a"]?.byteCount == 1)
        for parameters: [String: LoadRequest.Value] in [
            ["file:1/a": .text("AA==")], ["config": .other], ["config": .text("{}"), "file:1/a": .text("?")],
            ["unknown": .text("")], ["config": .text("{}"), "file:1/a": .other],
        ] {
            #expect(throws: HalcyonError.self) { try LoadRequest(parameters) }
        }
    }
}
