/// What others wrote, made fit for a line of the log.
enum UntrustedText {
    /// Without control characters, and no more than its beginning.
    static func shown(_ text: String, most: Int = 300) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.lazy.filter { !isControl($0) }.prefix(most)))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}
