internal import Tensors
internal import URIText

/// What is set about AWS beside credentials: where, and how to talk to it.
struct AWSSettings: Sendable {
    let profileName: String
    let profiles: AWSProfiles
    let region: String
    /// Whether somebody has said the region.
    let isRegionKnown: Bool

    private let surroundings: Surroundings
    private var profile: [String: String] { profiles[profileName] ?? [:] }

    /// - Throws: `invalidArgument` for a profile that is not there.
    init(_ surroundings: Surroundings) throws(HalcyonError) {
        self.surroundings = surroundings
        profiles = AWSProfiles(surroundings)
        let named = surroundings["AWS_PROFILE"] ?? surroundings["AWS_DEFAULT_PROFILE"]
        profileName = named ?? "default"
        if let named, profiles[named] == nil {
            throw HalcyonError(
                .invalidArgument,
                "AWS_PROFILE names the profile '\(named)', which neither ~/.aws/config nor ~/.aws/credentials has "
                    + "(AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name other files)")
        }
        let region =
            surroundings["AWS_REGION"] ?? surroundings["AWS_DEFAULT_REGION"] ?? profiles[profileName]?["region"]
        self.region = region ?? "us-east-1"
        isRegionKnown = region != nil
        guard self.region.utf8.allSatisfy({ PercentEncoding.isUnreserved($0) }) else {
            throw HalcyonError(
                .invalidArgument,
                "AWS_REGION is a name such as eu-central-1, got '\(UntrustedText.shown(self.region, most: 40))'")
        }
    }

    /// Whom to talk to in place of Amazon.
    ///
    /// - Parameter service: `S3` or `STS`.
    func endpoint(_ service: String) throws(HalcyonError) -> WebAddress? {
        for name in ["AWS_ENDPOINT_URL_\(service)", "AWS_ENDPOINT_URL"] {
            if let text = surroundings[name] { return try WebAddress(text, name: name) }
        }
        guard let text = profile["endpoint_url"] else { return nil }
        return try WebAddress(text, name: "endpoint_url of the profile '\(profileName)'")
    }

    /// Whether the bucket stands in the path; `nil` where nobody says.
    var usesPath: Bool? {
        switch profile["s3.addressing_style"] ?? profile["addressing_style"] {
        case "path"?: true
        case "virtual"?: false
        default: nil
        }
    }

    /// A file with the certificates of who vouches for stores; `nil` for the system's.
    var certificates: String? { surroundings["AWS_CA_BUNDLE"] ?? profile["ca_bundle"] }
}
