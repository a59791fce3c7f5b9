internal import CryptoExtras
internal import FoundationEssentials
internal import JSONText
internal import Tensors

/// Where credentials of Google Cloud are looked for, in the order of Google's own tools.
struct GoogleCredentials: Sendable {
    private static let scope = "https://www.googleapis.com/auth/devstorage.read_only"
    private static let tokens = "https://oauth2.googleapis.com/token"

    let surroundings: Surroundings

    var sources: [CredentialSource] { [named, wellKnown, machine] }

    private var named: CredentialSource {
        CredentialSource(name: "the file of GOOGLE_APPLICATION_CREDENTIALS") { [self] now throws(HalcyonError) in
            guard let path = surroundings["GOOGLE_APPLICATION_CREDENTIALS"] else { return nil }
            guard let bytes = surroundings.read(surroundings.expanded(path)) else {
                throw HalcyonError(.invalidArgument, "the file '\(path)' can't be read")
            }
            return try step(bytes, path, now: now)
        }
    }

    private var wellKnown: CredentialSource {
        let path = "~/.config/gcloud/application_default_credentials.json"
        return CredentialSource(name: path) { [self] now throws(HalcyonError) in
            guard let bytes = surroundings.read(surroundings.expanded(path)) else { return nil }
            return try step(bytes, path, now: now)
        }
    }

    private var machine: CredentialSource {
        CredentialSource(name: "the machine's metadata", isPerhaps: true) { [surroundings] now throws(HalcyonError) in
            guard surroundings["NO_GCE_CHECK"]?.lowercased() != "true" else { return nil }
            let host = surroundings["GCE_METADATA_HOST"] ?? "metadata.google.internal"
            var request = StoreRequest(
                .get, try WebAddress("http://\(host)", name: "GCE_METADATA_HOST"),
                path: "/computeMetadata/v1/instance/service-accounts/default/token")
            request.set("metadata-flavor", "Google")
            return .ask(request) { (answer) throws(HalcyonError) in
                try Self.token(answer, "the machine's metadata", now: now)
            }
        }
    }

    /// What a file with credentials leads to.
    private func step(_ bytes: [UInt8], _ path: String, now: UTCTime) throws(HalcyonError) -> CredentialStep {
        guard let fields = JSONFields(bytes) else {
            throw HalcyonError(.invalidArgument, "the file '\(path)' is no JSON object")
        }
        switch fields.text("type") {
        case "service_account"?: return try serviceAccount(fields, path, now: now)
        case "authorized_user"?: return try user(fields, path, now: now)
        case "external_account"?: return try federated(fields, path, now: now)
        default:
            throw HalcyonError(
                .unsupported,
                "the file '\(path)' has the type '\(UntrustedText.shown(fields.text("type") ?? "", most: 60))', and "
                    + "service_account, authorized_user and external_account are known")
        }
    }

    private func form(_ fields: [StoreRequest.Field], to url: String, _ path: String) throws(HalcyonError)
        -> StoreRequest
    {
        let address = try WebAddress(url, name: "the file '\(path)'")
        var request = StoreRequest(.post, address, path: "")
        request.setForm(fields)
        return request
    }

    private func serviceAccount(_ fields: JSONFields, _ path: String, now: UTCTime) throws(HalcyonError)
        -> CredentialStep
    {
        guard let email = fields.text("client_email"), let key = fields.text("private_key") else {
            throw HalcyonError(.invalidArgument, "the file '\(path)' has no client_email or no private_key")
        }
        let url = fields.text("token_uri") ?? Self.tokens
        let assertion = try ServiceAccountAssertion(
            email: email, keyIdentifier: fields.text("private_key_id"), audience: url, scope: Self.scope
        ).signed(by: key, at: now, file: path)
        let request = try form(
            [
                .init("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), .init("assertion", assertion),
            ], to: url, path)
        return .ask(request) { (answer) throws(HalcyonError) in
            try Self.token(answer, "the account '\(email)'", now: now)
        }
    }

    private func user(_ fields: JSONFields, _ path: String, now: UTCTime) throws(HalcyonError) -> CredentialStep {
        guard let identifier = fields.text("client_id"), let secret = fields.text("client_secret"),
            let refresh = fields.text("refresh_token")
        else {
            throw HalcyonError(.invalidArgument, "the file '\(path)' has no client_id, client_secret or refresh_token")
        }
        let request = try form(
            [
                .init("grant_type", "refresh_token"), .init("client_id", identifier), .init("client_secret", secret),
                .init("refresh_token", refresh),
            ], to: fields.text("token_uri") ?? Self.tokens, path)
        return .ask(request) { (answer) throws(HalcyonError) in
            try Self.token(answer, "the user of '\(path)'", now: now)
        }
    }

    /// A token of somebody else, such as Kubernetes, changed for one of Google's.
    private func federated(_ fields: JSONFields, _ path: String, now: UTCTime) throws(HalcyonError) -> CredentialStep {
        guard let source = fields.object("credential_source"), let file = source.text("file"),
            let audience = fields.text("audience"), let kind = fields.text("subject_token_type"),
            let url = fields.text("token_url")
        else {
            throw HalcyonError(
                .unsupported,
                "the file '\(path)' needs audience, subject_token_type, token_url and a credential_source with "
                    + "a file, which alone is taken of those that there are")
        }
        guard var subject = surroundings.text(file) else {
            throw HalcyonError(
                .invalidArgument, "the file '\(file)' with the token, which '\(path)' names, can't be read")
        }
        if source.object("format")?.text("type") == "json" {
            let name = source.object("format")?.text("subject_token_field_name") ?? "access_token"
            guard let token = JSONFields(Array(subject.utf8))?.text(name) else {
                throw HalcyonError(.invalidArgument, "the file '\(file)' has no '\(name)'")
            }
            subject = token
        }
        let request = try form(
            [
                .init("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"), .init("audience", audience),
                .init("scope", "https://www.googleapis.com/auth/cloud-platform"),
                .init("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
                .init("subject_token_type", kind), .init("subject_token", subject),
            ], to: url, path)
        let impersonation = fields.text("service_account_impersonation_url")
        return .ask(request) { (answer) throws(HalcyonError) in
            let step = try Self.token(answer, "the identity of '\(path)'", now: now)
            guard let impersonation, case .done(.bearer(let token), _) = step else { return step }
            var request = StoreRequest(
                .post, try WebAddress(impersonation, name: "service_account_impersonation_url"), path: "")
            request.set("authorization", "Bearer \(token.value)")
            request.set("content-type", "application/json")
            request.body = Array("{\"scope\": [\"\(Self.scope)\"]}".utf8)
            return .ask(request) { (answer) throws(HalcyonError) in
                guard answer.status == 200, let fields = JSONFields(answer.body), let token = fields.text("accessToken")
                else { throw Self.refused(answer, "the account that '\(path)' names") }
                return .done(.bearer(Secret(token)), expiry: fields.text("expireTime").flatMap { UTCTime(iso: $0) })
            }
        }
    }

    private static func refused(_ answer: StoreAnswer, _ who: String) -> HalcyonError {
        let fields = JSONFields(answer.body)
        let refusal = StoreRefusal(
            code: fields?.text("error") ?? "",
            message: fields?.text("error_description") ?? fields?.object("error")?.text("message") ?? "")
        return HalcyonError(
            .invalidArgument,
            "\(who) gets no token: \(refusal.code) \(refusal.message) (\(answer.status)); see whether it is "
                + "still valid, and whether this machine's clock is right")
    }

    private static func token(_ answer: StoreAnswer, _ who: String, now: UTCTime) throws(HalcyonError) -> CredentialStep
    {
        guard answer.status == 200, let fields = JSONFields(answer.body), let token = fields.text("access_token") else {
            throw refused(answer, who)
        }
        return .done(.bearer(Secret(token)), expiry: UTCTime(now: now, lifetime: fields.number("expires_in")))
    }
}
