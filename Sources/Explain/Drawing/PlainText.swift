/// Text of others, made safe for a terminal.
enum PlainText {
    /// Names come from configurations and from servers: what moves the cursor or turns the direction of writing is
    /// shown as a replacement character.
    static func of(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: "\u{FFFD}"
                    default: scalar
                    }
                }))
    }

    /// Exactly so many columns, by its characters.
    static func fitted(_ text: String, _ width: Int) -> String {
        if text.count > width { return text.prefix(max(0, width - 1)) + "…" }
        return text + String(repeating: " ", count: width - text.count)
    }

    /// So many columns at least, at the right.
    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// A duration for people: `3.2 ms`.
    static func duration(_ nanoseconds: UInt64) -> String {
        let value = Double(nanoseconds)
        switch value {
        case ..<1_000: return "\(nanoseconds) ns"
        case ..<1_000_000: return "\(rounded(value / 1_000)) µs"
        case ..<10_000_000_000: return "\(rounded(value / 1_000_000)) ms"
        default: return "\(rounded(value / 1_000_000_000)) s"
        }
    }

    /// Two digits behind the point below ten, one below a hundred, none above.
    static func rounded(_ value: Double) -> String {
        let (factor, digits) = value < 10 ? (100.0, 2) : value < 100 ? (10.0, 1) : (1.0, 0)
        let scaled = (value * factor).rounded()
        guard scaled.isFinite, scaled.magnitude < 1e15 else { return "\(value)" }
        let whole = Int64(scaled)
        let divisor = Int64(factor)
        guard digits > 0 else { return "\(whole)" }
        let rest = "\(whole % divisor)"
        return "\(whole / divisor)." + String(repeating: "0", count: digits - rest.count) + rest
    }
}
