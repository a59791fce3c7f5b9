internal import Tensors

/// What tells the models of a server apart: their names, or, where several repositories have a model of one name, the
/// repository's path, a slash and the name.
struct ModelKey: Hashable {
    var name: ModelName
    /// `nil` where the name is enough.
    var root: String?

    /// - Throws: `invalidArgument` for what can't be a model's name.
    init(_ text: String) throws(HalcyonError) {
        guard text.first == "/", let slash = text.lastIndex(of: "/"), slash != text.startIndex else {
            name = try ModelName(text)
            return
        }
        name = try ModelName(String(text[text.index(after: slash)...]))
        root = String(text[..<slash])
    }

    /// The key of a model that is not alone with its name.
    static func text(_ name: String, root: String) -> String { "\(root)/\(name)" }

    /// The name in a key.
    static func name(_ text: String) -> String {
        text.lastIndex(of: "/").map { String(text[text.index(after: $0)...]) } ?? text
    }
}
