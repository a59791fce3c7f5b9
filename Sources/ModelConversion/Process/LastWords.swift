/// The end of what a program said, for the error that tells how it ended.
package struct LastWords {
    /// Lines that are kept, and characters of each.
    private static let limits = (lines: 6, characters: 300)
    private var lines: [String] = []

    package init() {}

    package mutating func add(_ line: String) {
        let line = String(
            line.prefix(Self.limits.characters).map { $0.unicodeScalars.contains { $0.value < 0x20 } ? " " : $0 })
        guard line.contains(where: { !$0.isWhitespace }) else { return }
        lines.append(line)
        if lines.count > Self.limits.lines { lines.removeFirst() }
    }

    /// The last lines in one.
    package func text(or nothing: String) -> String { lines.isEmpty ? nothing : lines.joined(separator: " | ") }
}
