internal import Tensors
internal import URIText

/// Where credentials of Azure are looked for.
struct AzureCredentials: Sendable {
    private static let resource = "https://storage.azure.com/"

    let surroundings: Surroundings
    let account: String

    var sources: [CredentialSource] { [connection, key, sharedAccess, workload, machine] }

    /// What a connection string says, by name.
    static func parts(_ text: String) -> [String: String] {
        var parts: [String: String] = [:]
        for field in text.split(separator: ";") {
            guard let equals = field.firstIndex(of: "=") else { continue }
            parts[String(field[..<equals])] = String(field[field.index(after: equals)...])
        }
        return parts
    }

    private static func step(key: String, account: String, _ name: String) throws(HalcyonError) -> CredentialStep {
        guard let bytes = Base64Text.bytes(key), !bytes.isEmpty else {
            throw HalcyonError(.invalidArgument, "\(name) is no key of an account: such a key is in base64")
        }
        return .done(.azureKey(account: account, key: bytes), expiry: nil)
    }

    private var connection: CredentialSource {
        let name = "AZURE_STORAGE_CONNECTION_STRING"
        return CredentialSource(name: name) { [self] _ throws(HalcyonError) in
            guard let text = surroundings[name] else { return nil }
            let parts = Self.parts(text)
            // One for another account says nothing about this one.
            guard parts["AccountName"].map({ $0 == account }) ?? true else { return nil }
            if let key = parts["AccountKey"] { return try Self.step(key: key, account: account, name) }
            return parts["SharedAccessSignature"].map { .done(.sharedAccess(Secret($0)), expiry: nil) }
        }
    }

    private var key: CredentialSource {
        CredentialSource(name: "AZURE_STORAGE_KEY") { [self] _ throws(HalcyonError) in
            guard let key = surroundings["AZURE_STORAGE_KEY"] ?? surroundings["AZURE_STORAGE_ACCOUNT_KEY"],
                surroundings["AZURE_STORAGE_ACCOUNT"].map({ $0 == account }) ?? true
            else { return nil }
            return try Self.step(key: key, account: account, "AZURE_STORAGE_KEY")
        }
    }

    private var sharedAccess: CredentialSource {
        CredentialSource(name: "AZURE_STORAGE_SAS_TOKEN") { [surroundings] _ in
            surroundings["AZURE_STORAGE_SAS_TOKEN"].map { token in
                .done(.sharedAccess(Secret(token.hasPrefix("?") ? String(token.dropFirst()) : token)), expiry: nil)
            }
        }
    }

    private var workload: CredentialSource {
        CredentialSource(name: "a workload's identity (AZURE_FEDERATED_TOKEN_FILE)") {
            [surroundings] now throws(HalcyonError) in
            guard let file = surroundings["AZURE_FEDERATED_TOKEN_FILE"] else { return nil }
            guard let client = surroundings["AZURE_CLIENT_ID"], let tenant = surroundings["AZURE_TENANT_ID"] else {
                throw HalcyonError(
                    .invalidArgument, "AZURE_FEDERATED_TOKEN_FILE is set, and AZURE_CLIENT_ID or AZURE_TENANT_ID is not"
                )
            }
            guard let token = surroundings.text(file) else {
                throw HalcyonError(.invalidArgument, "the file '\(file)' can't be read")
            }
            let authority = surroundings["AZURE_AUTHORITY_HOST"] ?? "https://login.microsoftonline.com"
            var request = StoreRequest(
                .post, try WebAddress(authority, name: "AZURE_AUTHORITY_HOST"),
                path: "/\(PercentEncoding.encode(tenant))/oauth2/v2.0/token")
            request.setForm([
                .init("grant_type", "client_credentials"), .init("client_id", client),
                .init("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                .init("client_assertion", token), .init("scope", "\(Self.resource).default"),
            ])
            return .ask(request) { (answer) throws(HalcyonError) in try Self.token(answer, now: now) }
        }
    }

    private var machine: CredentialSource {
        CredentialSource(name: "the machine's metadata", isPerhaps: true) { [surroundings] now throws(HalcyonError) in
            let host = surroundings["AZURE_POD_IDENTITY_AUTHORITY_HOST"] ?? "http://169.254.169.254"
            var request = StoreRequest(
                .get, try WebAddress(host, name: "AZURE_POD_IDENTITY_AUTHORITY_HOST"),
                path: "/metadata/identity/oauth2/token")
            request.query = [.init("api-version", "2018-02-01"), .init("resource", Self.resource)]
            if let client = surroundings["AZURE_CLIENT_ID"] { request.query.append(.init("client_id", client)) }
            request.set("metadata", "true")
            return .ask(request) { (answer) throws(HalcyonError) in try Self.token(answer, now: now) }
        }
    }

    private static func token(_ answer: StoreAnswer, now: UTCTime) throws(HalcyonError) -> CredentialStep {
        let fields = JSONFields(answer.body)
        guard answer.status == 200, let token = fields?.text("access_token") else {
            let refusal = StoreRefusal(
                code: fields?.text("error") ?? "", message: fields?.text("error_description") ?? "")
            throw HalcyonError(
                .invalidArgument, "there is no token: \(refusal.code) \(refusal.message) (\(answer.status))")
        }
        return .done(.bearer(Secret(token)), expiry: UTCTime(now: now, lifetime: fields?.number("expires_in")))
    }
}
