internal import Tensors
internal import URIText

/// Where credentials of AWS are looked for, in the order of AWS's own tools. Nothing is asked before it is needed.
struct AWSCredentials: Sendable {
    let surroundings: Surroundings
    let settings: AWSSettings

    /// Those of Triton's file come in front where it is named.
    var sources: [CredentialSource] {
        [environment, webIdentity, profile, container, machine]
    }

    private var environment: CredentialSource {
        CredentialSource(name: "the environment (AWS_ACCESS_KEY_ID)") { [surroundings] _ throws(HalcyonError) in
            guard let identifier = surroundings["AWS_ACCESS_KEY_ID"] else { return nil }
            guard let secret = surroundings["AWS_SECRET_ACCESS_KEY"] else {
                throw HalcyonError(.invalidArgument, "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not")
            }
            return .done(
                .aws(AWSKeys(identifier, secret, sessionToken: surroundings["AWS_SESSION_TOKEN"])), expiry: nil)
        }
    }

    // MARK: Roles

    private var webIdentity: CredentialSource {
        CredentialSource(name: "a web identity (AWS_WEB_IDENTITY_TOKEN_FILE)") { [self] _ throws(HalcyonError) in
            guard let file = surroundings["AWS_WEB_IDENTITY_TOKEN_FILE"] else { return nil }
            guard let role = surroundings["AWS_ROLE_ARN"] else {
                throw HalcyonError(.invalidArgument, "AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not")
            }
            return try assume(role, tokenFile: file, session: surroundings["AWS_ROLE_SESSION_NAME"])
        }
    }

    private func securityTokens() throws(HalcyonError) -> StoreRequest {
        let suffix = settings.region.hasPrefix("cn-") ? ".cn" : ""
        let usual = WebAddress(host: "sts.\(settings.region).amazonaws.com\(suffix)")
        return StoreRequest(.post, try settings.endpoint("STS") ?? usual, path: "/")
    }

    private func assume(_ role: String, tokenFile: String, session: String?) throws(HalcyonError) -> CredentialStep {
        guard let token = surroundings.text(surroundings.expanded(tokenFile)), !token.isEmpty else {
            throw HalcyonError(
                .invalidArgument, "the file '\(tokenFile)' with the web identity's token can't be read, or is empty")
        }
        var request = try securityTokens()
        request.setForm([
            .init("Action", "AssumeRoleWithWebIdentity"), .init("Version", "2011-06-15"), .init("RoleArn", role),
            .init("RoleSessionName", session ?? "halcyon"), .init("WebIdentityToken", token),
        ])
        return .ask(request) { (answer) throws(HalcyonError) in
            try Self.roleKeys(answer, "AssumeRoleWithWebIdentity", role)
        }
    }

    /// The keys in an answer of the service that gives out roles.
    private static func roleKeys(_ answer: StoreAnswer, _ action: String, _ role: String) throws(HalcyonError)
        -> CredentialStep
    {
        let document = try? XMLReader.element(answer.body)
        guard answer.status == 200, let keys = document?["\(action)Result"]?["Credentials"],
            let identifier = keys.text(of: "AccessKeyId"), let secret = keys.text(of: "SecretAccessKey")
        else {
            let error = document?["Error"]
            let refusal = StoreRefusal(code: error?.text(of: "Code") ?? "", message: error?.text(of: "Message") ?? "")
            throw HalcyonError(
                .invalidArgument,
                "the role '\(role)' can't be taken: \(refusal.code) \(refusal.message) (\(answer.status)); "
                    + "see whether its trust policy names who asks")
        }
        let expiry = keys.text(of: "Expiration").flatMap { UTCTime(iso: $0) }
        return .done(.aws(AWSKeys(identifier, secret, sessionToken: keys.text(of: "SessionToken"))), expiry: expiry)
    }

    // MARK: Profiles

    private var profile: CredentialSource {
        CredentialSource(name: "the profile '\(settings.profileName)' of ~/.aws") { [self] now throws(HalcyonError) in
            // Files may have been written anew since.
            try step(of: settings.profileName, in: AWSProfiles(surroundings), depth: 0, now: now)
        }
    }

    private func step(
        of name: String, in profiles: AWSProfiles, depth: Int, now: UTCTime
    ) throws(HalcyonError) -> CredentialStep? {
        guard let profile = profiles[name] else { return nil }
        guard depth < 5 else { throw HalcyonError(.invalidArgument, "the profile '\(name)' of ~/.aws leads to itself") }
        if let role = profile["role_arn"] {
            if let file = profile["web_identity_token_file"] {
                return try assume(role, tokenFile: file, session: profile["role_session_name"])
            }
            let source = profile["source_profile"]
            var first: CredentialStep?
            if let source {
                first =
                    source == name
                    ? keys(profile) : try step(of: source, in: profiles, depth: depth + 1, now: now)
            } else if profile["credential_source"] == "Environment" {
                first = try environment.begin(now)
            } else if profile["credential_source"] == "EcsContainer" {
                first = try container.begin(now)
            } else if profile["credential_source"] == "Ec2InstanceMetadata" {
                first = try machine.begin(now)
            }
            guard let first else {
                throw HalcyonError(
                    .invalidArgument,
                    "the profile '\(name)' of ~/.aws has a role_arn and nothing to take it with: it needs "
                        + "source_profile, credential_source or web_identity_token_file")
            }
            return try assume(role, profile, with: first, now: now)
        }
        if profile["credential_process"] != nil, profile["aws_access_key_id"] == nil {
            throw HalcyonError(
                .unsupported,
                "the profile '\(name)' of ~/.aws has a credential_process, which this server does not run: put "
                    + "what it prints into AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN")
        }
        return keys(profile)
    }

    private func keys(_ profile: [String: String]) -> CredentialStep? {
        guard let identifier = profile["aws_access_key_id"], let secret = profile["aws_secret_access_key"] else {
            return nil
        }
        return .done(.aws(AWSKeys(identifier, secret, sessionToken: profile["aws_session_token"])), expiry: nil)
    }

    /// Takes a role with the credentials that another step leads to.
    private func assume(
        _ role: String, _ profile: [String: String], with step: CredentialStep, now: UTCTime
    ) throws(HalcyonError) -> CredentialStep {
        switch step {
        case .ask(let request, let then):
            return .ask(request) { (answer) throws(HalcyonError) in
                try assume(role, profile, with: try then(answer), now: now)
            }
        case .done(let credentials, _):
            guard case .aws(let keys) = credentials else { return step }
            var request = try securityTokens()
            var fields: [StoreRequest.Field] = [
                .init("Action", "AssumeRole"), .init("Version", "2011-06-15"), .init("RoleArn", role),
                .init("RoleSessionName", profile["role_session_name"] ?? "halcyon"),
            ]
            if let external = profile["external_id"] { fields.append(.init("ExternalId", external)) }
            request.setForm(fields)
            let signature = AWSSignature(keys: keys, region: settings.region, service: "sts")
            return .ask(signature.signed(request, at: now)) { (answer) throws(HalcyonError) in
                try Self.roleKeys(answer, "AssumeRole", role)
            }
        }
    }

    // MARK: Containers and machines

    private var container: CredentialSource {
        CredentialSource(name: "the container's credentials (AWS_CONTAINER_CREDENTIALS_FULL_URI)") {
            [surroundings] _ throws(HalcyonError) in
            let address: WebAddress
            if let path = surroundings["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] {
                address = try WebAddress("http://169.254.170.2\(path)", name: "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
            } else if let text = surroundings["AWS_CONTAINER_CREDENTIALS_FULL_URI"] {
                address = try WebAddress(text, name: "AWS_CONTAINER_CREDENTIALS_FULL_URI")
                // Without TLS a token goes to this machine and to the addresses of its cloud only.
                let isLocal =
                    ["localhost", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"].contains(address.host)
                    || address.host.hasPrefix("127.")
                guard address.isSecure || isLocal else {
                    throw HalcyonError(
                        .invalidArgument,
                        "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https:// or an address of this machine")
                }
            } else {
                return nil
            }
            var request = StoreRequest(.get, address, path: "")
            let token =
                surroundings["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"].flatMap { surroundings.text($0) }
                ?? surroundings["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
            if let token { request.set("authorization", token) }
            return .ask(request) { (answer) throws(HalcyonError) in
                try Self.machineKeys(answer, "the container's credentials")
            }
        }
    }

    private var machine: CredentialSource {
        CredentialSource(name: "the machine's metadata", isPerhaps: true) { [surroundings] _ throws(HalcyonError) in
            guard surroundings["AWS_EC2_METADATA_DISABLED"]?.lowercased() != "true" else { return nil }
            let address = try WebAddress(
                surroundings["AWS_EC2_METADATA_SERVICE_ENDPOINT"] ?? "http://169.254.169.254",
                name: "AWS_EC2_METADATA_SERVICE_ENDPOINT")
            var request = StoreRequest(.put, address, path: "/latest/api/token")
            request.set("x-aws-ec2-metadata-token-ttl-seconds", "21600")
            return .ask(request) { (answer) throws(HalcyonError) in
                let token = String(decoding: answer.body, as: UTF8.self)
                guard answer.status == 200, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
                    throw HalcyonError(.notFound, "the machine's metadata give no token (\(answer.status))")
                }
                let path = "/latest/meta-data/iam/security-credentials/"
                var request = StoreRequest(.get, address, path: path)
                request.set("x-aws-ec2-metadata-token", token)
                return .ask(request) { (answer) throws(HalcyonError) in
                    let name = String(decoding: answer.body, as: UTF8.self).split(whereSeparator: \.isNewline).first
                    guard answer.status == 200, let name else {
                        throw HalcyonError(.notFound, "the machine has no role (\(answer.status))")
                    }
                    var request = StoreRequest(.get, address, path: path + PercentEncoding.encode(String(name)))
                    request.set("x-aws-ec2-metadata-token", token)
                    return .ask(request) { (answer) throws(HalcyonError) in
                        try Self.machineKeys(answer, "the machine's metadata")
                    }
                }
            }
        }
    }

    private static func machineKeys(_ answer: StoreAnswer, _ what: String) throws(HalcyonError) -> CredentialStep {
        guard answer.status == 200, let fields = JSONFields(answer.body), let identifier = fields.text("AccessKeyId"),
            let secret = fields.text("SecretAccessKey")
        else { throw HalcyonError(.invalidArgument, "\(what) have no keys (status \(answer.status))") }
        let keys = AWSKeys(identifier, secret, sessionToken: fields.text("Token"))
        return .done(.aws(keys), expiry: fields.text("Expiration").flatMap { UTCTime(iso: $0) })
    }
}
