/// The labels of one model version's samples, in the order of their names; a bucket's bound comes last, where every
/// client library writes it.
struct MetricLabels: Sendable {
    private let model: String
    private let version: Int64
    /// The configuration's own labels, whose names get a line in front as in Triton: `_name="value",`.
    private let tags: String

    init(model: String, version: Int64, tags: [String: String] = [:]) {
        self.model = Self.escaped(model)
        self.version = version
        self.tags = tags.sorted { $0.key < $1.key }.map { "_\(Self.name($0.key))=\"\(Self.escaped($0.value))\"," }
            .joined()
    }

    /// A label's name has letters, digits and lines only.
    private static func name(_ text: String) -> String {
        String(
            text.unicodeScalars.map {
                $0.isASCII && $0.properties.isAlphabetic || ("0"..."9").contains($0) ? Character($0) : "_"
            })
    }

    func text(
        cause: String? = nil, reason: String? = nil, bound: String? = nil, quantile: String? = nil
    ) -> String {
        let cause = cause.map { "cause=\"\($0)\"," } ?? ""
        let quantile = quantile.map { ",quantile=\"\($0)\"" } ?? ""
        let reason = reason.map { ",reason=\"\($0)\"" } ?? ""
        let bound = bound.map { ",le=\"\($0)\"" } ?? ""
        return "{\(tags)\(cause)model=\"\(model)\"\(reason),version=\"\(version)\"\(bound)\(quantile)}"
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
