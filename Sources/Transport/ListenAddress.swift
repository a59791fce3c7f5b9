package import Tensors

/// Where a server listens.
package enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
    case internet(host: String, port: Int)
    /// A socket in the file system.
    case unix(path: String)

    /// - Parameter host: a name or an address; `unix:` and a path for a Unix domain socket, where the port means nothing.
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
        self = .internet(host: host, port: port)
    }

    package var description: String {
        switch self {
        case .internet(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
