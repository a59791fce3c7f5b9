package import Tensors

/// Where a server listens.
package enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
    case internet(host: String, port: Int)
    /// A socket in the file system.
    case unix(path: String)

    /// - Parameter host: a name or an address, one of IP version 6 with or without brackets; `unix:` and a path for a
    ///   Unix domain socket, where the port means nothing.
    /// - Throws: `invalidArgument` for what is neither.
    package init(host: String, port: Int) throws(HalcyonError) {
        if host.hasPrefix("unix:") {
            let path = String(host.dropFirst("unix:".count))
            guard !path.isEmpty else {
                throw HalcyonError(.invalidArgument, "the address 'unix:' lacks the socket's path")
            }
            self = .unix(path: path)
            return
        }
        guard (0...65535).contains(port) else {
            throw HalcyonError(.invalidArgument, "a port is a number from 0 to 65535, got \(port)")
        }
        self = .internet(host: try Self.host(host), port: port)
    }

    private static func host(_ text: String) throws(HalcyonError) -> String {
        guard !text.isEmpty else {
            throw HalcyonError(
                .invalidArgument, "the address is empty: 0.0.0.0 is every address of the machine, :: too")
        }
        if text.contains("://") {
            throw HalcyonError(.invalidArgument, "the address '\(text)' has a scheme: write the host alone")
        }
        if text == "*" {
            throw HalcyonError(
                .invalidArgument, "'*' is no address: write 0.0.0.0 for every address of the machine, or ::")
        }
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            guard text.index(after: end) == text.endIndex else { throw portInAddress(text) }
            return String(text.dropFirst().dropLast())
        }
        let colons = text.split(separator: ":", omittingEmptySubsequences: false)
        if colons.count == 2 { throw portInAddress(text) }
        return text
    }

    /// Whether nobody on another machine reaches it. A name other than `localhost` may mean anything.
    package var isOfThisMachineOnly: Bool {
        guard case .internet(let host, _) = self else { return true }
        if host.lowercased() == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func portInAddress(_ text: String) -> HalcyonError {
        HalcyonError(.invalidArgument, "the address '\(text)' has a port in it, which a setting of its own gives")
    }

    package var description: String {
        switch self {
        case .internet(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
