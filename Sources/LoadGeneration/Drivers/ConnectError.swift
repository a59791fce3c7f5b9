private import Glibc
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// Why a connection could not be made or kept, for people.
enum ConnectError {
    static func text(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as NIOConnectionError:
            if let failure = error.connectionErrors.first {
                text(failure.error)
            } else if error.dnsAError != nil || error.dnsAAAAError != nil {
                "no address is known for the name '\(error.host)'"
            } else {
                "\(error)"
            }
        case ChannelError.connectTimeout: "nothing answers within the time for it"
        case let error as NIOSSLError: "TLS: \(error)"
        case let error as NIOSSLExtraError: "TLS: \(error.description)"
        case let error as BoringSSLError: "TLS: \(error)"
        default: "\(error)"
        }
    }
}
