internal import Tensors
internal import URIText

/// Whom to talk to: the beginning of an address such as `http://localhost:9000`.
struct WebAddress: Hashable, Sendable {
    var isSecure: Bool
    /// A name or a number; one of IP version 6 with its brackets.
    var host: String
    /// `nil` for the usual one.
    var port: Int?
    /// What stands before every path there, without a slash at the end; percent-encoded.
    var path = ""

    init(isSecure: Bool = true, host: String, port: Int? = nil) {
        self.isSecure = isSecure
        self.host = host
        self.port = port == (isSecure ? 443 : 80) ? nil : port
    }

    /// - Parameters:
    ///   - text: with `http://` or `https://`.
    ///   - name: what it was given as, for the error.
    /// - Throws: `invalidArgument` for another kind of address. Nothing of it is shown that could be a password.
    init(_ text: String, name: String) throws(HalcyonError) {
        guard let parts = WebAddressParts(text), parts.query == nil else {
            throw HalcyonError(
                .invalidArgument,
                "\(name) takes an address such as https://storage.example.com:9000, got "
                    + "'\(UntrustedText.shown(WebAddressParts.shown(text), most: 60))'")
        }
        self = parts.address
        path = parts.path.hasSuffix("/") ? String(parts.path.dropLast()) : parts.path
    }

    /// The header `Host`.
    var authority: String { port.map { "\(host):\($0)" } ?? host }

    var origin: String { "\(isSecure ? "https" : "http")://\(authority)" }
}

/// An address of the web in parts.
struct WebAddressParts: Hashable {
    var address: WebAddress
    /// As written, with the slash in front; empty where there is none.
    var path: String
    var query: String?
    var fragment: String?
    /// Whether there was a name or a password before the host, which are left out.
    var hadUser: Bool

    /// - Returns: `nil` for what is no address of `http` or `https`.
    init?(_ text: String) {
        guard let separator = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<separator.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        var rest = text[separator.upperBound...]
        if let hash = rest.firstIndex(of: "#") {
            fragment = String(rest[rest.index(after: hash)...])
            rest = rest[..<hash]
        }
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        path = String(rest[slash...])
        var authority = rest[..<slash]
        hadUser = false
        if let at = authority.lastIndex(of: "@") {
            authority = authority[authority.index(after: at)...]
            hadUser = true
        }
        guard let (host, port) = Self.split(authority) else { return nil }
        address = WebAddress(isSecure: scheme == "https", host: host, port: port)
    }

    /// An address as it may be shown: without a name and a password before the host, and without what comes behind the
    /// path.
    static func shown(_ text: String) -> String {
        let whole = text.prefix { $0 != "?" && $0 != "#" }
        guard let at = whole.lastIndex(of: "@") else { return String(whole) }
        let start = whole[..<at].ranges(of: "://").last?.upperBound ?? whole.startIndex
        return String(whole[..<start] + whole[whole.index(after: at)...])
    }

    /// The host and the port of `host`, `host:port` and `[::1]:port`.
    static func split(_ authority: Substring) -> (host: String, port: Int?)? {
        var host = authority
        var port: Int?
        let end = authority.lastIndex(of: "]") ?? authority.startIndex
        if let colon = authority[end...].lastIndex(of: ":") {
            guard let number = Int(authority[authority.index(after: colon)...]), (1...65535).contains(number) else {
                return nil
            }
            port = number
            host = authority[..<colon]
        }
        let isNumber = host.hasPrefix("[") && host.hasSuffix("]")
        let isName = host.utf8.allSatisfy { byte in
            PercentEncoding.isUnreserved(byte) || isNumber && "[]:".utf8.contains(byte)
        }
        return host.isEmpty || !isName ? nil : (host.lowercased(), port)
    }
}
