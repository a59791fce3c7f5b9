private import Glibc
package import Logging
package import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization
package import Tensors

/// A port that accepts connections.
package final class Listener: Sendable {
    package struct Options: Sendable {
        package var address: ListenAddress
        package var tls: TLSOptions?
        /// What to offer in TLS's ALPN.
        package var applicationProtocols: [String] = []
        /// More connections than this are closed as they come.
        package var maximumConnections = 65_536
        package var reusesPort = false
        /// Whether a client that has closed its side only may still get its answers. Who sets this up must close the
        /// connection itself.
        var allowsHalfClosure = false
        /// How the flags of the command line begin by which all this was chosen, `http` for `--http-port`; for errors.
        package var flags = ""
        package var log: Logger
        package var counters = ConnectionCounters()

        package init(address: ListenAddress, log: Logger) {
            self.address = address
            self.log = log
        }
    }

    private let channel: any Channel
    private let connections: ConnectionSet
    private let socketPath: String?
    /// Where it listens; with the port that the system chose where 0 was asked for.
    package let address: ListenAddress

    private init(channel: any Channel, connections: ConnectionSet, address: ListenAddress) {
        self.channel = channel
        self.connections = connections
        var bound = address
        if case .internet(let host, _) = address, let port = channel.localAddress?.port {
            bound = .internet(host: host, port: port)
        }
        self.address = bound
        socketPath = if case .unix(let path) = address { path } else { nil }
    }

    /// Binds and listens.
    ///
    /// - Parameter initialize: sets up the pipeline of a new connection, on its event loop.
    /// - Throws: `unavailable` that says why an address can't be had; `invalidArgument` for bad certificates.
    package static func bind(
        _ options: Options, on group: any EventLoopGroup,
        initialize: @escaping @Sendable (any Channel) throws -> Void
    ) async throws(HalcyonError) -> Listener {
        let tls: TLSContextSource? =
            if let files = options.tls {
                try TLSContextSource(files, protocols: options.applicationProtocols, log: options.log)
            } else {
                nil
            }
        let connections = ConnectionSet(maximum: options.maximumConnections)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.socketOption(.init(rawValue: SO_REUSEPORT)), value: options.reusesPort ? 1 : 0)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptPause(log: options.log, counters: options.counters))
                }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: options.allowsHalfClosure && tls == nil)
            .childChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard connections.add(channel) else {
                        options.counters.refused()
                        options.log.warning(
                            "connection refused",
                            metadata: ["limit": "max-connections", "value": "\(connections.maximum)"])
                        throw ChannelError.operationUnsupported
                    }
                    options.counters.opened()
                    channel.closeFuture.whenComplete { _ in options.counters.closed() }
                    if let tls {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(NIOSSLServerHandler(context: tls.current()))
                        try pipeline.addHandler(HandshakeTimeout())
                    }
                    try initialize(channel)
                }
            }
        do {
            let channel: any Channel
            switch options.address {
            case .internet(let host, let port):
                channel = try await bootstrap.childChannelOption(ChannelOptions.tcpOption(.tcp_nodelay), value: 1)
                    .bind(host: host, port: port).get()
            case .unix(let path):
                try removeStaleSocket(path)
                channel = try await bootstrap.bind(unixDomainSocketPath: path).get()
            }
            return Listener(channel: channel, connections: connections, address: options.address)
        } catch {
            if let error = error as? HalcyonError { throw error }
            let number = (error as? IOError)?.errnoCode
            let reason = number.map { String(cString: strerror($0)) } ?? "\(error)"
            throw HalcyonError(
                .unavailable,
                "can't listen on \(options.address): \(reason)\(advice(number, options.address, flags: options.flags))")
        }
    }

    /// What to do where an address can't be had, by the flags that say it.
    private static func advice(_ number: CInt?, _ address: ListenAddress, flags: String) -> String {
        guard !flags.isEmpty else { return "" }
        guard case .internet = address else { return "; --\(flags)-address names the socket" }
        switch number {
        case EADDRINUSE:
            return
                "; another program listens there, perhaps another server: --\(flags)-port names another port, and 0 "
                + "has the system choose one"
        case EACCES: return "; --\(flags)-port names another port: those below 1024 need privileges"
        default: return "; --\(flags)-address names an address of this machine, 0.0.0.0 for all of them"
        }
    }

    /// A socket that nobody listens on any more is in the way; one that somebody does is in use, and a file of another
    /// kind is not ours to remove.
    private static func removeStaleSocket(_ path: String) throws(HalcyonError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw HalcyonError(.unavailable, "can't listen on unix:\(path): a file of another kind is there")
        }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard probe >= 0 else { return }
        defer { close(probe) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < capacity else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isAlive = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(probe, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        if isAlive { throw HalcyonError(.unavailable, "can't listen on unix:\(path): another process does") }
        unlink(path)
    }

    /// Accepts no more connections; those that are open stay.
    package func stopAccepting() async {
        try? await channel.close().get()
        if let socketPath { unlink(socketPath) }
    }

    /// Tells every open connection that the server is about to go: each closes when it has answered what it was asked.
    package func drainConnections() { connections.forEach { $0.pipeline.fireUserInboundEventTriggered(DrainEvent()) } }

    /// Waits until every connection has closed of itself, or the task is cancelled.
    package func waitForConnections() async { await connections.waitUntilEmpty() }

    /// Closes what is still open.
    package func closeConnections() { connections.forEach { $0.close(promise: nil) } }
}

/// Sent through a connection's pipeline when the server is about to go.
package struct DrainEvent: Sendable {
    package init() {}
}
