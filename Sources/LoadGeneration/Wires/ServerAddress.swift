package import Tensors

/// Where a server is: `http://host:8000/prefix`, `https://…`, `grpc://host:8001`, `grpcs://…`.
package struct ServerAddress: Hashable, Sendable {
    package enum Wire: String, Hashable, Sendable {
        case http = "HTTP"
        case grpc = "gRPC"
    }

    package var wire: Wire
    package var usesTLS: Bool
    package var host: String
    package var port: Int
    /// What comes before `/v2` in paths, without a slash at its end.
    package var prefix: String
    /// As it was written.
    package var text: String

    /// - Throws: `invalidArgument` for a text that is no such address.
    package init(parsing text: String) throws(HalcyonError) {
        let fault = HalcyonError(
            .invalidArgument,
            "--url takes an address such as http://localhost:8000 or grpc://localhost:8001 (https:// and grpcs:// "
                + "for TLS), got '\(text)'")
        let schemes: [String: (Wire, Bool, Int)] = [
            "http": (.http, false, 8000), "https": (.http, true, 443), "grpc": (.grpc, false, 8001),
            "grpcs": (.grpc, true, 443),
        ]
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.first, let scheme = schemes[parts.count == 2 ? name.lowercased() : "http"] else {
            throw fault
        }
        let rest = parts.last ?? ""
        let authority = rest.prefix { $0 != "/" }
        var path = String(rest.dropFirst(authority.count))
        while path.hasSuffix("/") { path.removeLast() }
        guard scheme.0 == .http || path.isEmpty, !authority.contains("@"),
            path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw fault }
        var host = String(authority)
        var port = scheme.2
        let end = authority.hasPrefix("[") ? authority.firstIndex(of: "]") : authority.startIndex
        guard let end else { throw fault }
        if let colon = authority[end...].lastIndex(of: ":") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65535).contains(number) else {
                throw fault
            }
            port = number
            host = String(authority[..<colon])
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw fault }
        wire = scheme.0
        usesTLS = scheme.1
        self.host = host
        self.port = port
        prefix = path
        self.text = text
    }

    /// For the header that names the server.
    package var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
