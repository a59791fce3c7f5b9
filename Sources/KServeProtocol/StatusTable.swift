package import Tensors

extension HalcyonError.Code {
    /// The status of an HTTP answer with this error; Triton's table.
    package var httpStatus: Int {
        switch self {
        case .unknown, .invalidArgument, .alreadyExists, .cancelled: 400
        case .internal: 500
        case .notFound: 404
        case .unavailable: 503
        case .unsupported: 501
        default: 500
        }
    }

    /// The status code of a gRPC answer with this error; the numbers are those of the gRPC specification.
    package var grpcStatus: GRPCStatusCode {
        switch self {
        case .unknown: .unknown
        case .internal: .internal
        case .notFound: .notFound
        case .invalidArgument: .invalidArgument
        case .unavailable: .unavailable
        case .unsupported: .unimplemented
        case .alreadyExists: .alreadyExists
        case .cancelled: .cancelled
        default: .unknown
        }
    }
}

extension HalcyonError {
    /// After how many seconds a client may try again, as `Retry-After` says it: whole ones from 1.
    package var retryAfterSeconds: Int {
        guard let (seconds, attoseconds) = retryAfter?.components, seconds >= 0 else { return 1 }
        return max(1, Int(clamping: attoseconds > 0 && seconds < .max ? seconds + 1 : seconds))
    }
}

/// The status codes of gRPC.
package enum GRPCStatusCode: Int, Hashable, Sendable {
    case ok = 0
    case cancelled = 1
    case unknown = 2
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case alreadyExists = 6
    case resourceExhausted = 8
    case unimplemented = 12
    case `internal` = 13
    case unavailable = 14
}
