internal import Tensors

/// Where a collector takes spans: the parts of an address such as `http://localhost:4318/v1/traces`.
struct CollectorAddress: Hashable {
    /// A name or a number; one of IP version 6 without its brackets.
    let host: String
    let port: Int
    let path: String

    /// - Parameter url: `http://` may be missing; without a port it is 80, and without a path `/v1/traces`.
    /// - Throws: `invalidArgument` for another kind of address.
    init(_ url: String) throws(HalcyonError) {
        let rest = try Self.withoutScheme(url)
        let authority = rest.prefix { $0 != "/" }
        let afterwards = rest[authority.endIndex...]
        path = afterwards.isEmpty ? "/v1/traces" : String(afterwards)
        let (name, digits) = Self.split(authority)
        guard let name, !name.isEmpty, let port = digits.map({ Int($0) }) ?? 80, (1...65535).contains(port) else {
            throw Self.error(url)
        }
        host = String(name)
        self.port = port
    }

    /// The header `Host`.
    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    private static func withoutScheme(_ url: String) throws(HalcyonError) -> Substring {
        guard let separator = url.firstRange(of: "://") else { return url[...] }
        switch url[..<separator.lowerBound].lowercased() {
        case "http": return url[separator.upperBound...]
        case "https":
            throw HalcyonError(
                .unsupported,
                "opentelemetry,url: spans are sent without TLS, got '\(url)'; name a collector's http:// address, "
                    + "one beside the server that passes them on, for instance")
        default: throw error(url)
        }
    }

    /// The host, and the digits behind the colon; no host where there are too many colons.
    private static func split(_ authority: Substring) -> (host: Substring?, port: Substring?) {
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { return (nil, nil) }
            let rest = authority[authority.index(after: end)...]
            let host = authority.dropFirst().prefix { $0 != "]" }
            if rest.isEmpty { return (host, nil) }
            return rest.first == ":" ? (host, rest.dropFirst()) : (nil, nil)
        }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return (parts.first, nil)
        case 2: return (parts.first, parts.last)
        default: return (nil, nil)
        }
    }

    private static func error(_ url: String) -> HalcyonError {
        HalcyonError(
            .invalidArgument, "opentelemetry,url is an address such as http://localhost:4318/v1/traces, got '\(url)'")
    }
}
