internal import Tensors

/// A file with the names of an output's classes: a label a line, line 0 for class 0.
enum LabelFile {
    /// The largest file that is read, in bytes.
    static let maximumByteCount = 4 << 20

    /// The labels. Lines end with LF or CR LF; empty ones count, for the sake of those after them, but not at the end.
    ///
    /// - Throws: `invalidArgument` for a file that is too large or not UTF-8.
    static func read(_ path: String) throws(HalcyonError) -> [String] {
        var bytes = try FileSystem.read(path, most: maximumByteCount)
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        if bytes.starts(with: byteOrderMark) { bytes.removeFirst(byteOrderMark.count) }
        // By bytes, as CR LF is one character to a string.
        var labels: [String] = []
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            let content = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            guard let label = String(validating: content, as: UTF8.self) else {
                throw HalcyonError(
                    .invalidArgument, "the label file '\(path)' is not UTF-8 in line \(labels.count + 1)")
            }
            labels.append(label)
        }
        while labels.last?.isEmpty == true { labels.removeLast() }
        return labels
    }
}
