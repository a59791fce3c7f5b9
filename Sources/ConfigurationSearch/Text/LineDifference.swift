/// What differs between two texts, line by line, with some lines around it.
package enum LineDifference {
    private static let context = 2

    /// - Returns: lines that begin with `-`, `+` or a blank; `…` between places that lie apart. Empty for the same
    ///   text.
    package static func lines(from old: String, to new: String) -> [String] {
        let left = old.split(separator: "\n", omittingEmptySubsequences: false)
        let right = new.split(separator: "\n", omittingEmptySubsequences: false)
        let difference = right.difference(from: left)
        guard !difference.isEmpty else { return [] }
        var removed = Set<Int>()
        var inserted = Set<Int>()
        for change in difference {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var all: [(sign: Character, text: Substring)] = []
        var (i, j) = (0, 0)
        while i < left.count || j < right.count {
            if removed.contains(i) {
                all.append(("-", left[i]))
                i += 1
            } else if inserted.contains(j) {
                all.append(("+", right[j]))
                j += 1
            } else {
                if i < left.count { all.append((" ", left[i])) }
                i += 1
                j += 1
            }
        }
        var lines: [String] = []
        var last = -1
        for (index, line) in all.enumerated() {
            let near = all[max(0, index - context)...min(all.count - 1, index + context)]
            guard near.contains(where: { $0.sign != " " }) else { continue }
            if last >= 0, index > last + 1 { lines.append("…") }
            lines.append("\(line.sign)\(line.text.isEmpty ? "" : " ")\(line.text)")
            last = index
        }
        return lines
    }
}
