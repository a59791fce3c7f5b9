/// The engine's error texts, made fit for one line.
enum EngineMessage {
    /// The text without the places in the engine's source that it passed through.
    static func condensed(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline)
            .map { line in trimmed(line) }
            .filter { !$0.isEmpty && !$0.hasPrefix("Exception from ") }
            .joined(separator: " ")
    }

    private static func trimmed(_ line: Substring) -> Substring {
        var line = line.drop(while: \.isWhitespace)
        while line.last?.isWhitespace == true { line.removeLast() }
        return line
    }
}
