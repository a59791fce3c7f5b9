internal import Tensors

/// Finds what was probably meant.
package enum NameSuggestion {
    /// `did you mean 'max_batch_size'?` for the candidate nearest to the name; empty where none is near.
    package static func hint(for name: String, among candidates: [String]) -> String {
        let limit = max(1, min(3, name.utf8.count / 3))
        let lowered = Array(name.lowercased().utf8)
        let nearest = candidates.map { (name: $0, distance: distance(lowered, Array($0.lowercased().utf8))) }
            .filter { $0.distance <= limit }.min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        return nearest.map { "did you mean '\($0.name)'?" } ?? ""
    }

    /// The same to put behind a complaint: with a comma before it, or nothing.
    package static func suffix(for name: String, among candidates: [String]) -> String {
        let hint = hint(for: name, among: candidates)
        return hint.isEmpty ? "" : ", \(hint)"
    }

    /// The same for the value of an enumeration, which may have another prefix than those here, or the name of a type
    /// that other programs give it; all candidates where none is near.
    package static func hint(forValue name: String, among candidates: [String]) -> String {
        if let type = ElementType(nearest: name)?.configurationName, candidates.contains(type) {
            return "did you mean '\(type)'?"
        }
        let nearest = hint(for: name, among: candidates)
        if !nearest.isEmpty { return nearest }
        let ending = "_" + name.uppercased()
        if let full = candidates.first(where: { $0.hasSuffix(ending) }) { return "did you mean '\(full)'?" }
        return "one of \(candidates.joined(separator: ", "))"
    }

    /// The number of bytes to insert, delete or replace to get from the one to the other (Levenshtein).
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        // A name that is much longer is no misspelling, and would only cost time.
        guard abs(left.count - right.count) <= 3 else { return .max }
        var row = Array(0...right.count)
        for (i, byte) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (byte == other ? 0 : 1))
                diagonal = above
            }
        }
        return row[right.count]
    }
}
