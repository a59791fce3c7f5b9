internal import NIOCore
internal import NIOSSL
internal import Tensors

/// How a client trusts a server, and shows who it is.
package struct ClientTLSOptions: Hashable, Sendable {
    /// Certificates that are trusted, in a PEM file; `nil` for the system's.
    package var rootPath: String?
    package var certificatePath: String?
    package var keyPath: String?
    /// Whether any certificate will do.
    package var trustsAnybody = false

    package init() {}
}

/// The first handlers of a connection over TLS.
struct ClientTLS: Sendable {
    private let context: NIOSSLContext
    private let host: String

    /// - Throws: `invalidArgument` for certificates that can't be read.
    init(_ options: ClientTLSOptions, _ address: ServerAddress) throws(HalcyonError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = address.wire == .grpc ? ["h2"] : ["http/1.1"]
        if options.trustsAnybody { configuration.certificateVerification = .none }
        do {
            if let path = options.rootPath { configuration.trustRoots = .file(path) }
            if let path = options.certificatePath {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(path).map { .certificate($0) }
            }
            if let path = options.keyPath {
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: path, format: .pem))
            }
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw HalcyonError(.invalidArgument, "the certificates for TLS can't be used: \(error)")
        }
        host = address.host
    }

    func handler() throws -> NIOSSLClientHandler {
        // An address is no name that a certificate's holder could be asked for by.
        let isName = (try? SocketAddress(ipAddress: host, port: 0)) == nil
        return try NIOSSLClientHandler(context: context, serverHostname: isName ? host : nil)
    }
}
