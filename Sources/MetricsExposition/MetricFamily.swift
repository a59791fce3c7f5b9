/// A name that samples share, with what it counts.
struct MetricFamily: Hashable, Sendable {
    enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
        case summary
    }

    let name: String
    let kind: Kind
    /// One sentence without line break or backslash, which the text format would want escaped.
    let help: String

    init(_ kind: Kind, _ name: String, _ help: String) {
        self.name = name
        self.kind = kind
        self.help = help
    }
}
