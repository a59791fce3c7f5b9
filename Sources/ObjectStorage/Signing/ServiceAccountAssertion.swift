internal import CryptoExtras
internal import FoundationEssentials
internal import JSONText
internal import Tensors

/// What an account of a service says of itself, signed with its key, for which it gets a token: a JSON web token with
/// an RSA signature.
struct ServiceAccountAssertion: Sendable {
    let email: String
    let keyIdentifier: String?
    let audience: String
    let scope: String

    /// What is signed.
    func text(at time: UTCTime) -> String {
        var header: [JSONValue.Member] = [.init("alg", "RS256"), .init("typ", "JWT")]
        if let keyIdentifier { header.append(.init("kid", .string(keyIdentifier))) }
        let claims: JSONValue = [
            "iss": .string(email), "scope": .string(scope), "aud": .string(audience), "iat": .integer(time.seconds),
            "exp": .integer(time.seconds + 3600),
        ]
        return [JSONValue.object(header), claims].map { Base64Text.addressText(Array($0.compact.utf8)) }.joined(
            separator: ".")
    }

    /// - Parameters:
    ///   - key: PEM.
    ///   - file: where it came from, for the error.
    func signed(by key: String, at time: UTCTime, file: String) throws(HalcyonError) -> String {
        let text = text(at: time)
        do {
            let key = try _RSA.Signing.PrivateKey(pemRepresentation: key)
            let signature = try key.signature(for: Array(text.utf8), padding: .insecurePKCS1v1_5)
            return "\(text).\(Base64Text.addressText(Array(signature.rawRepresentation)))"
        } catch {
            throw HalcyonError(.invalidArgument, "the private_key of '\(file)' is no RSA key in PEM")
        }
    }
}
