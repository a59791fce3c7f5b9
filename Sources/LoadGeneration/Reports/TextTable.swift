/// Rows of words, each column as wide as its widest word.
package struct TextTable: Sendable {
    private let rows: [[String]]
    /// Columns that begin at the left; the others end at the right.
    private let leading: Set<Int>

    package init(_ rows: [[String]], leading: Set<Int> = []) {
        self.rows = rows
        self.leading = leading
    }

    package var lines: [String] {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, word) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - word.count)
                line += (column == 0 ? "" : "  ") + (leading.contains(column) ? word + padding : padding + word)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
    }
}
