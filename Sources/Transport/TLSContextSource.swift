private import Glibc
internal import Logging
internal import NIOSSL
internal import Tensors
internal import Threads

/// Makes TLS contexts from files, anew when they have changed. A change that can't be read leaves the old one in place.
final class TLSContextSource: Sendable {
    private struct State {
        var context: NIOSSLContext
        var stamps: [FileStamp]
    }

    private let options: TLSOptions
    private let protocols: [String]
    private let log: Logger
    private let state: Locked<State>

    /// - Parameter protocols: what to offer in ALPN.
    /// - Throws: `invalidArgument` that names the file and what is wrong with it.
    init(_ options: TLSOptions, protocols: [String], log: Logger) throws(HalcyonError) {
        self.options = options
        self.protocols = protocols
        self.log = log
        let stamps = Self.stamps(options)
        state = Locked(State(context: try Self.make(options, protocols), stamps: stamps))
    }

    /// The context for a new connection.
    func current() -> NIOSSLContext {
        state.withLock { state in
            let stamps = Self.stamps(options)
            guard stamps != state.stamps else { return state.context }
            state.stamps = stamps
            do {
                state.context = try Self.make(options, protocols)
                log.info("certificates reloaded", metadata: ["certificate": "\(options.certificatePath)"])
            } catch {
                log.error("changed certificates can't be used, the old ones stay", metadata: ["error": "\(error)"])
            }
            return state.context
        }
    }

    private static func make(_ options: TLSOptions, _ protocols: [String]) throws(HalcyonError) -> NIOSSLContext {
        let chain = try read(options.certificatePath, "certificate") {
            try NIOSSLCertificate.fromPEMFile(options.certificatePath)
        }
        let key = try read(options.keyPath, "private key") {
            try NIOSSLPrivateKey(file: options.keyPath, format: .pem)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.applicationProtocols = protocols
        // RFC 8996 and RFC 9113, section 9.2.
        configuration.minimumTLSVersion = .tlsv12
        if let root = options.clientRootPath {
            let roots = try read(root, "root certificate") { try NIOSSLCertificate.fromPEMFile(root) }
            configuration.trustRoots = .certificates(roots)
            configuration.certificateVerification = .noHostnameVerification
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw HalcyonError(
                .invalidArgument,
                "the certificate '\(options.certificatePath)' and the key '\(options.keyPath)' do not go together: "
                    + "\(error)")
        }
    }

    private static func read<Value>(
        _ path: String, _ what: String, _ body: () throws -> Value
    ) throws(HalcyonError) -> Value {
        do {
            return try body()
        } catch {
            throw HalcyonError(.invalidArgument, "the \(what) '\(path)' can't be read as PEM: \(error)")
        }
    }

    private static func stamps(_ options: TLSOptions) -> [FileStamp] {
        [options.certificatePath, options.keyPath, options.clientRootPath].compactMap { $0 }.map(FileStamp.init)
    }
}

/// What tells a changed file from the one that was read.
private struct FileStamp: Equatable {
    let modified: Int
    let nanoseconds: Int
    let size: Int
    let inode: UInt

    init(_ path: String) {
        var status = stat()
        let found = stat(path, &status) == 0
        modified = found ? status.st_mtim.tv_sec : 0
        nanoseconds = found ? status.st_mtim.tv_nsec : 0
        size = found ? Int(status.st_size) : -1
        inode = found ? UInt(status.st_ino) : 0
    }
}
