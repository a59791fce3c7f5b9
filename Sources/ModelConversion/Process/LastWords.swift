/// The end of what a program said, for the error that tells how it ended.
struct LastWords {
    /// Bytes that are kept.
    private static let limit = 4096
    private var lines: [String] = []
    private var size = 0

    mutating func add(_ line: String) {
        let line = String(line.prefix(1000).map { $0.unicodeScalars.contains { $0.value < 0x20 } ? " " : $0 })
        guard line.contains(where: { !$0.isWhitespace }) else { return }
        lines.append(line)
        size += line.utf8.count
        while size > Self.limit, lines.count > 1 { size -= lines.removeFirst().utf8.count }
    }

    /// The last lines in one.
    func text(or nothing: String) -> String { lines.isEmpty ? nothing : lines.suffix(6).joined(separator: " | ") }
}
