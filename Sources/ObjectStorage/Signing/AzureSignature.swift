internal import Crypto
internal import FoundationEssentials

/// Azure's signature of requests by the key of an account ("Shared Key").
struct AzureSignature: Sendable {
    let account: String
    /// Decoded.
    let key: [UInt8]

    /// What is signed: the method, some headers by their place, those of Azure, and what is asked for.
    func text(_ request: StoreRequest) -> String {
        let header = { (name: String) in request.headers.first { $0.name == name }?.value ?? "" }
        let length = request.body.isEmpty ? "" : String(request.body.count)
        // The date stands among those of Azure.
        let places = [
            header("content-encoding"), header("content-language"), length, header("content-md5"),
            header("content-type"), "",
            header("if-modified-since"), header("if-match"), header("if-none-match"), header("if-unmodified-since"),
            header("range"),
        ]
        let own = request.headers.filter { $0.name.hasPrefix("x-ms-") }.sorted { $0.name < $1.name }.map {
            "\($0.name):\($0.value)"
        }
        let query = request.query.map { (name: $0.name.lowercased(), value: $0.value) }.sorted { $0 < $1 }
            .map { "\($0.name):\($0.value)" }
        let resource = (["/\(account)\(request.path)"] + query)
        return ([request.method.rawValue] + places + own + resource).joined(separator: "\n")
    }

    func authorization(_ request: StoreRequest) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Array(text(request).utf8), using: SymmetricKey(data: key))
        return "SharedKey \(account):\(Base64Text.text(Array(code)))"
    }
}
