import ModelRepository
import Tensors
import Testing

struct ModelNameTests {
    @Test(
        arguments: [
            "simple", "people detection", "resnet.v2", "a", "-", "名前", String(repeating: "n", count: 255), "é",
            "\u{301}",
        ])
    func `A folder's name is a model's name`(name: String) throws {
        #expect(try ModelName(name).rawValue == name)
    }

    @Test(
        arguments: [
            "", ".", "..", ".hidden", "../x", "a/b", "/etc", "a/", "a\\b", "a\0b", "a\nb", "a\u{7F}", "a\u{85}b",
            String(repeating: "n", count: 256), String(repeating: "é", count: 128), ".\u{301}",
        ])
    func `Anything else is refused with the rule`(name: String) {
        #expect(
            throws: HalcyonError.self,
            performing: {
                do throws(HalcyonError) {
                    _ = try ModelName(name)
                } catch {
                    #expect(error.code == .invalidArgument)
                    let rule =
                        name.isEmpty
                        ? "Model name cannot be empty"
                        : "model name must not contain path traversal characters: a name has 1 to 255 bytes"
                    #expect(error.message.contains(rule))
                    #expect(!error.message.contains("\n") && !error.message.contains("\0"))
                    #expect(error.message.utf8.count < 600)
                    throw error
                }
            })
    }

    @Test func `Names have an order`() throws {
        #expect(try [ModelName("b"), ModelName("a")].sorted().map(\.description) == ["a", "b"])
    }
}
