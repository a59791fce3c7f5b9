internal import Tensors
internal import URIText

/// A repository in a store, as an operator names it: `s3://bucket/prefix` and the like.
package struct StoreLocation: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case s3
        case googleCloud
        case azure
        /// One file with all models.
        case archive
    }

    let kind: Kind
    /// As it was named, without what may be secret.
    let text: String
    /// The bucket, or Azure's container.
    private(set) var bucket = ""
    /// Azure's account.
    private(set) var account = ""
    /// Before the names of models, without slashes around it; empty for all of the bucket. An archive's path.
    private(set) var prefix = ""
    /// Where the location itself says whom to talk to.
    private(set) var address: WebAddress?
    /// What an archive's SHA-256 must be.
    private(set) var checksum: [UInt8] = []
    /// An archive's query, which may be secret.
    private(set) var query: Secret?

    /// Whether a text names a repository in a store rather than a folder.
    package static func isStore(_ text: String) -> Bool { scheme(text).map { kinds[$0] != nil } ?? false }

    private static let kinds: [String: Kind] = [
        "s3": .s3, "gs": .googleCloud, "as": .azure, "https": .archive, "http": .archive,
    ]

    private static func scheme(_ text: String) -> String? {
        text.firstRange(of: "://").map { text[..<$0.lowerBound].lowercased() }
    }

    /// - Throws: `invalidArgument` that says what was expected.
    init(_ text: String) throws(HalcyonError) {
        guard let scheme = Self.scheme(text), let kind = Self.kinds[scheme] else {
            throw HalcyonError(
                .invalidArgument, "'\(WebAddressParts.shown(text).prefix(100))' is no address of a store")
        }
        if kind == .archive {
            self = try Self.archive(text)
            return
        }
        self.kind = kind
        let rest = text.dropFirst(scheme.utf8.count + 3)
        // Only archives have more than a path, and it may be secret.
        self.text = String(WebAddressParts.shown(text).prefix(1000))
        switch kind {
        case .s3: try takeS3(rest)
        case .googleCloud: try takeBucket(rest, form: "gs://BUCKET/PREFIX")
        case .azure: try takeAzure(rest)
        case .archive: break
        }
    }

    /// A name for the folder of copies: what the last part of the prefix is called, which a model has that lies in
    /// place of a repository.
    var name: String {
        let last = (prefix.isEmpty ? bucket : prefix).split(separator: "/").last.map { String($0) } ?? "models"
        guard kind == .archive else { return last }
        let endings = [".tar.gz", ".tgz", ".tar", ".zip"]
        let name = endings.first { last.hasSuffix($0) }.map { String(last.dropLast($0.count)) } ?? last
        return name.isEmpty || name.hasPrefix(".") ? "models" : name
    }

    /// The beginning of the keys of all that is in the repository.
    var keyPrefix: String { prefix.isEmpty ? "" : prefix + "/" }

    private func failure(_ form: String, _ more: String = "") -> HalcyonError {
        HalcyonError(.invalidArgument, "the model repository '\(text)' is not of the form \(form)\(more)")
    }

    private mutating func takeBucket(_ rest: Substring, form: String) throws(HalcyonError) {
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, (3...255).contains(name.utf8.count), !name.hasPrefix("."),
            name.utf8.allSatisfy({
                PercentEncoding.isUnreserved($0) && $0 != UInt8(ascii: "~") || $0 == UInt8(ascii: "$")
            })
        else {
            throw failure(
                form, ": '\(WebAddressParts.shown(String(rest)).prefix { $0 != "/" }.prefix(100))' is no bucket's name")
        }
        bucket = String(name)
        let path = parts.count > 1 ? parts[1] : ""
        guard !path.contains("?"), !path.contains("#") else {
            throw failure(form, ": it has no query, and credentials come from the environment")
        }
        prefix = path.split(separator: "/", omittingEmptySubsequences: true).joined(separator: "/")
    }

    /// `s3://bucket/prefix`, or with whom to talk to in front of the bucket, with or without a scheme.
    private mutating func takeS3(_ rest: Substring) throws(HalcyonError) {
        let form = "s3://BUCKET/PREFIX or s3://http://HOST:PORT/BUCKET/PREFIX"
        let hasScheme = rest.hasPrefix("http://") || rest.hasPrefix("https://")
        let hasPort = rest.prefix { $0 != "/" }.contains(":")
        guard hasScheme || hasPort else { return try takeBucket(rest, form: form) }
        // Triton takes a store without a scheme for one that speaks without TLS.
        guard let parts = WebAddressParts(hasScheme ? String(rest) : "http://\(rest)"), !parts.hadUser else {
            throw failure(form)
        }
        address = parts.address
        try takeBucket(parts.path.dropFirst(), form: form)
    }

    private mutating func takeAzure(_ rest: Substring) throws(HalcyonError) {
        let form = "as://ACCOUNT/CONTAINER/PREFIX"
        let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let host = parts.first, !host.isEmpty else { throw failure(form) }
        if host.contains(":") {
            // A store on one's own machine has its account in the path.
            guard let (name, port) = WebAddressParts.split(host) else { throw failure(form) }
            let more = parts[1].split(separator: "/", maxSplits: 1)
            guard more.count == 2 else { throw failure("as://HOST:PORT/ACCOUNT/CONTAINER/PREFIX") }
            var address = WebAddress(isSecure: false, host: name, port: port)
            account = String(more[0])
            address.path = "/\(PercentEncoding.encode(account))"
            self.address = address
            return try takeBucket(more[1], form: form)
        }
        account = String(host.prefix { $0 != "." })
        if host.contains("."), let (name, _) = WebAddressParts.split(host) { address = WebAddress(host: name) }
        guard !account.isEmpty, account.utf8.allSatisfy({ PercentEncoding.isUnreserved($0) }) else {
            throw failure(form)
        }
        try takeBucket(parts[1], form: form)
    }

    private init(_ parts: WebAddressParts, checksum: [UInt8]) {
        kind = .archive
        text = parts.address.origin + parts.path
        address = parts.address
        prefix = parts.path
        query = parts.query.map { Secret($0) }
        self.checksum = checksum
    }

    private static func archive(_ text: String) throws(HalcyonError) -> StoreLocation {
        guard let parts = WebAddressParts(text), !parts.hadUser else {
            throw HalcyonError(
                .invalidArgument,
                "an archive of models is named by an address such as "
                    + "https://host/models.tar.gz#sha256=…, without a password in it")
        }
        let shown = parts.address.origin + parts.path
        guard [".tar.gz", ".tgz", ".tar", ".zip"].contains(where: { parts.path.lowercased().hasSuffix($0) }) else {
            throw HalcyonError(
                .invalidArgument,
                "the model repository '\(shown)' is an address of the web, and only archives are taken from there, "
                    + "whose names end in .tar, .tar.gz, .tgz or .zip: name one, or copy the models into a folder and "
                    + "name that"
            )
        }
        guard let fragment = parts.fragment, fragment.hasPrefix("sha256="),
            let checksum = Hexadecimal.bytes(fragment.dropFirst(7)), checksum.count == 32
        else {
            throw HalcyonError(
                .invalidArgument,
                "the model repository '\(shown)' needs the archive's checksum behind it, #sha256= and 64 digits "
                    + "(sha256sum prints them), so that nobody can put another in its place; or copy the models into a "
                    + "folder and name that")
        }
        return StoreLocation(parts, checksum: checksum)
    }
}
