package import Tensors

/// Where an HTTP address leads: `http://[::1]:8000/v2`.
package struct HTTPAddress: Hashable, Sendable {
    package var isSecure: Bool
    package var host: String
    package var port: Int
    /// With a slash at its beginning.
    package var path: String

    /// - Throws: `invalidArgument` that says what an address looks like.
    package init(_ text: String) throws(HalcyonError) {
        let complaint = HalcyonError(
            .invalidArgument,
            "an address is http://HOST:PORT or https://HOST:PORT, got '\(text.shortened(to: 200))'")
        var rest = text[...]
        if let scheme = text.firstRange(of: "://") {
            switch text[..<scheme.lowerBound].lowercased() {
            case "http": isSecure = false
            case "https": isSecure = true
            default: throw complaint
            }
            rest = text[scheme.upperBound...]
        } else {
            isSecure = false
        }
        let authority = rest.prefix { $0 != "/" }
        path = authority.endIndex < rest.endIndex ? String(rest[authority.endIndex...]) : "/"
        var port: Substring?
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { throw complaint }
            host = String(authority[authority.index(after: authority.startIndex)..<end])
            let tail = authority[authority.index(after: end)...]
            guard tail.isEmpty || tail.first == ":" else { throw complaint }
            if !tail.isEmpty { port = tail.dropFirst() }
        } else {
            let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
            guard (1...2).contains(parts.count) else { throw complaint }
            host = String(parts[0])
            if parts.count == 2 { port = parts[1] }
        }
        guard !host.isEmpty, host.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || ".-:_%".contains($0)) }),
            path.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw complaint }
        self.port = isSecure ? 443 : 80
        if let port {
            guard let number = Int(port), (1...65535).contains(number) else { throw complaint }
            self.port = number
        }
    }

    /// As a `Host` header has it.
    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether the host is a name rather than an address, as TLS wants to know.
    var isName: Bool { !host.contains(":") && !host.allSatisfy { $0.isNumber || $0 == "." } }
}
