internal import Crypto
internal import FoundationEssentials
internal import URIText

/// AWS's signature of requests, version 4.
struct AWSSignature: Sendable {
    let keys: AWSKeys
    let region: String
    let service: String

    /// The request with the headers that sign it, all others included.
    ///
    /// - Parameter time: what the clock shows; the store refuses one that is some minutes off.
    func signed(_ request: StoreRequest, at time: UTCTime) -> StoreRequest {
        var request = request
        request.set("host", request.address.authority)
        request.set("x-amz-date", time.compact)
        if let token = keys.sessionToken { request.set("x-amz-security-token", token.value) }
        if service == "s3" { request.set("x-amz-content-sha256", Hexadecimal.text(SHA256.hash(data: request.body))) }
        let names = Self.signedNames(request)
        let authorization =
            "AWS4-HMAC-SHA256 Credential=\(keys.identifier)/\(scope(time)),SignedHeaders=\(names),"
            + "Signature=\(signature(request, at: time))"
        // Whoever sends it names the host itself.
        request.headers.removeAll { $0.name == "host" }
        request.set("authorization", authorization)
        return request
    }

    private func scope(_ time: UTCTime) -> String { "\(time.compactDay)/\(region)/\(service)/aws4_request" }

    private static func sortedHeaders(_ request: StoreRequest) -> [StoreRequest.Field] {
        request.headers.sorted { $0.name < $1.name }
    }

    private static func signedNames(_ request: StoreRequest) -> String {
        sortedHeaders(request).map(\.name).joined(separator: ";")
    }

    /// What is signed of a request that has all headers.
    static func canonical(_ request: StoreRequest) -> String {
        let query = request.query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
            .sorted { $0 < $1 }.map { "\($0)=\($1)" }.joined(separator: "&")
        let headers = sortedHeaders(request).map { "\($0.name):\(trimmed($0.value))\n" }.joined()
        return [
            request.method.rawValue, request.path, query, headers, signedNames(request),
            Hexadecimal.text(SHA256.hash(data: request.body)),
        ].joined(separator: "\n")
    }

    /// Without spaces around it, and with single ones in it.
    private static func trimmed(_ value: String) -> String { value.split(separator: " ").joined(separator: " ") }

    func signature(_ request: StoreRequest, at time: UTCTime) -> String {
        let text = [
            "AWS4-HMAC-SHA256", time.compact, scope(time),
            Hexadecimal.text(SHA256.hash(data: Array(Self.canonical(request).utf8))),
        ].joined(separator: "\n")
        var key = Array("AWS4\(keys.secret.value)".utf8)
        for part in [time.compactDay, region, service, "aws4_request", text] {
            key = Array(HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: SymmetricKey(data: key)))
        }
        return Hexadecimal.text(key)
    }
}
