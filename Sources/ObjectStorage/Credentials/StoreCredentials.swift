/// What a store is shown, so that it lets one in.
enum StoreCredentials: Hashable, Sendable {
    case aws(AWSKeys)
    /// In a header `Authorization`.
    case bearer(Secret)
    /// The key of an account of Azure, decoded.
    case azureKey(account: String, key: [UInt8])
    /// The query of a shared access signature of Azure.
    case sharedAccess(Secret)
    /// Nothing: for what everybody may read.
    case none
}

extension StoreCredentials: CustomStringConvertible, CustomReflectable {
    var description: String {
        switch self {
        case .aws: "keys"
        case .bearer: "a token"
        case .azureKey: "an account's key"
        case .sharedAccess: "a shared access signature"
        case .none: "none"
        }
    }

    var customMirror: Mirror { Mirror(self, children: []) }
}

/// Keys of AWS, or of a store that takes its signatures.
struct AWSKeys: Hashable, Sendable {
    var identifier: String
    var secret: Secret
    var sessionToken: Secret?

    init(_ identifier: String, _ secret: String, sessionToken: String? = nil) {
        self.identifier = identifier
        self.secret = Secret(secret)
        self.sessionToken = sessionToken.map { Secret($0) }
    }
}
