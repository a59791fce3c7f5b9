internal import KServeProtocol
internal import Tensors
internal import URIText

/// How a call ended.
struct GRPCStatus: Error, Hashable, Sendable {
    var code: GRPCStatusCode
    var message: String
    /// After how many seconds it is worth to try again, where the code is `unavailable`.
    var retryAfterSeconds = 1

    static let ok = GRPCStatus(.ok, "")

    init(_ code: GRPCStatusCode, _ message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: HalcyonError) {
        self.init(ByteBudget.isRefusal(error) ? .resourceExhausted : error.code.grpcStatus, error.message)
        retryAfterSeconds = error.retryAfterSeconds
    }

    /// Trailers go out in one frame, and a client's frames may be as short as 16 KiB.
    private static let longestMessage = 4096

    /// The message as a header holds it: what is not printable ASCII is percent-encoded (gRPC over HTTP/2,
    /// "Responses").
    var encodedMessage: String {
        let isPlain = message.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "%") }
        if isPlain, message.utf8.count <= Self.longestMessage { return message }
        var encoded = ""
        for byte in message.utf8 {
            if encoded.utf8.count > Self.longestMessage - 3 { return encoded + "..." }
            if (0x20...0x7E).contains(byte), byte != UInt8(ascii: "%") {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded += PercentEncoding.escape(byte)
            }
        }
        return encoded
    }
}
