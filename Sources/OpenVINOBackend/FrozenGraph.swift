internal import ModelFiles
internal import ProtobufWire

/// The little that is read from a TensorFlow frozen graph by ourselves: the names of its last nodes.
///
/// A graph declares no outputs. They are the nodes that no other node reads, and their names are the ones that users
/// know; the engine folds such nodes into their predecessors and prefers those names.
enum FrozenGraph {
    /// The nodes whose results nothing in the graph reads, in the file's order; none where the file is no such graph.
    static func terminalNodes(path: String) -> [String] {
        guard let file = try? ModelBytes(path: path) else { return [] }
        return withExtendedLifetime(file) { terminalNodes(in: file.bytes) }
    }

    /// The same for a graph in memory: a message whose field 1 are nodes, which have their name in field 1 and their
    /// inputs in field 3 (`node`, `node:output` or, for mere order, `^node`). A message ends at the first byte that
    /// can't be a field's.
    static func terminalNodes(in bytes: UnsafeRawBufferPointer) -> [String] {
        var names: [String] = []
        var read: Set<String> = []
        try? ProtobufFields.each(bytes[...]) { field, value in
            guard field == 1, let node = value.bytes else { return }
            try? ProtobufFields.each(node) { field, value in
                guard let text = value.text else { return }
                switch field {
                case 1: names.append(text)
                case 3: read.insert(nodeName(text))
                default: break
                }
            }
        }
        return names.filter { !read.contains($0) }
    }

    private static func nodeName(_ input: String) -> String {
        String(input.drop(while: { $0 == "^" }).prefix(while: { $0 != ":" }))
    }
}
