private import Glibc

/// The little that is read from a TensorFlow frozen graph by ourselves: the names of its last nodes.
///
/// A graph declares no outputs. They are the nodes that no other node reads, and their names are the ones that users
/// know; the engine folds such nodes into their predecessors and prefers those names.
enum FrozenGraph {
    /// The nodes whose results nothing in the graph reads, in the file's order; none where the file is no such graph.
    static func terminalNodes(path: String) -> [String] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_size > 0,
            let memory = mmap(nil, status.st_size, PROT_READ, MAP_PRIVATE, file, 0), memory != MAP_FAILED
        else { return [] }
        defer { munmap(memory, status.st_size) }
        return terminalNodes(in: UnsafeRawBufferPointer(start: memory, count: status.st_size))
    }

    /// The same for a graph in memory: a message whose field 1 are nodes, which have their name in field 1 and their
    /// inputs in field 3 (`node`, `node:output` or, for mere order, `^node`).
    static func terminalNodes(in bytes: UnsafeRawBufferPointer) -> [String] {
        var names: [String] = []
        var read: Set<String> = []
        var graph = ProtobufReader(bytes[...])
        while let field = graph.next() {
            guard field.number == 1 else { continue }
            var node = ProtobufReader(field.bytes)
            while let field = node.next() {
                switch field.number {
                case 1: names.append(String(decoding: field.bytes, as: UTF8.self))
                case 3: read.insert(nodeName(String(decoding: field.bytes, as: UTF8.self)))
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

/// The fields of a protobuf message one after the other. It ends at the first byte that can't be one.
private struct ProtobufReader {
    private var rest: Slice<UnsafeRawBufferPointer>

    init(_ bytes: Slice<UnsafeRawBufferPointer>) { rest = bytes }

    /// The next length-delimited field; fields of other kinds are passed over.
    mutating func next() -> (number: UInt64, bytes: Slice<UnsafeRawBufferPointer>)? {
        while let key = varint() {
            switch key & 7 {
            case 0: guard varint() != nil else { return nil }
            case 1: guard take(8) != nil else { return nil }
            case 5: guard take(4) != nil else { return nil }
            case 2:
                guard let length = varint(), let bytes = take(length) else { return nil }
                return (key >> 3, bytes)
            default: return nil
            }
        }
        return nil
    }

    private mutating func take(_ count: UInt64) -> Slice<UnsafeRawBufferPointer>? {
        guard count <= UInt64(rest.count) else { return nil }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }

    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
