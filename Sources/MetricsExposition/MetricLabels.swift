/// The labels of one model version's samples, in the order of their names; a bucket's bound comes last, where every
/// client library writes it.
struct MetricLabels: Sendable {
    private let model: String
    private let version: Int64

    init(model: String, version: Int64) {
        self.model = Self.escaped(model)
        self.version = version
    }

    func text(reason: String? = nil, bound: String? = nil) -> String {
        let reason = reason.map { ",reason=\"\($0)\"" } ?? ""
        let bound = bound.map { ",le=\"\($0)\"" } ?? ""
        return "{model=\"\(model)\"\(reason),version=\"\(version)\"\(bound)}"
    }

    /// A label's value as the text format wants it between quotation marks.
    static func escaped(_ value: String) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
