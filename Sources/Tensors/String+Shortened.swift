extension String {
    /// The text, or its beginning where it has more bytes than that, with word of how many there are.
    package func shortened(to byteCount: Int = 200) -> String {
        let total = utf8.count
        guard total > byteCount else { return self }
        var end = utf8.index(startIndex, offsetBy: max(0, byteCount))
        while end > startIndex, String.Index(end, within: unicodeScalars) == nil { end = utf8.index(before: end) }
        return "\(self[..<end])... (\(total) bytes in all)"
    }
}
