internal import KServeProtocol
internal import NIOHPACK
internal import Transport

/// What the headers of a call say.
struct GRPCRequestHead: Hashable {
    enum Refusal: Error, Hashable {
        /// What is not gRPC gets HTTP's own answer.
        case notGRPC
        case status(GRPCStatus)
    }

    let method: GRPCMethod
    /// How messages that say so are compressed.
    let encoding: Compression?
    /// Nanoseconds that the call may take; `nil` for as long as it needs.
    let timeout: Int64?

    init(_ headers: HPACKHeaders, access: AccessPolicy) throws(Refusal) {
        guard headers.first(name: ":method") == "POST",
            headers.first(name: "content-type")?.hasPrefix("application/grpc") == true
        else { throw .notGRPC }
        let path = headers.first(name: ":path") ?? ""
        guard let method = GRPCMethod(path: path) else {
            throw .status(GRPCStatus(.unimplemented, "there is no method '\(path)'"))
        }
        if let group = method.group,
            let key = access.missingKey(for: group, header: { headers.first(name: $0) })
        {
            throw .status(
                GRPCStatus(.unavailable, "This protocol is restricted, expecting header '\(key.header)'"))
        }
        self.method = method
        encoding = try Self.encoding(headers)
        timeout = try Self.timeout(headers)
    }

    private static func encoding(_ headers: HPACKHeaders) throws(Refusal) -> Compression? {
        guard let name = headers.first(name: "grpc-encoding"), name != "identity" else { return nil }
        guard let known = Compression(rawValue: name) else {
            throw .status(GRPCStatus(.unimplemented, "grpc-encoding '\(name)' is not supported"))
        }
        return known
    }

    private static func timeout(_ headers: HPACKHeaders) throws(Refusal) -> Int64? {
        guard let text = headers.first(name: "grpc-timeout") else { return nil }
        guard let duration = GRPCTimeout.nanoseconds(text) else {
            throw .status(GRPCStatus(.internal, "grpc-timeout '\(text)' is no timeout"))
        }
        return duration
    }
}
