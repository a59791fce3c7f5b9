internal import Tensors

/// What to tell an operator whose store refuses: one sentence with what to do next. Pure, and without anything that is
/// secret.
struct StoreFailure {
    let location: StoreLocation
    /// Where the credentials came from, for people; `nil` where none were found.
    var origin: String?
    /// Where credentials were looked for.
    var searched = ""
    /// What the request was for: "list" or an object's key.
    var subject: String?

    private func sentence(_ code: HalcyonError.Code, _ what: String) -> HalcyonError {
        HalcyonError(code, "the model repository '\(location.text)': \(what)")
    }

    /// What an answer other than success means.
    ///
    /// - Parameter now: what this machine's clock shows.
    func error(_ answer: StoreAnswer, _ refusal: StoreRefusal, now: UTCTime) -> HalcyonError {
        let said = refusal.message.isEmpty ? "status \(answer.status)" : "\(refusal.message) (\(answer.status))"
        let code = refusal.code
        if Self.clock.contains(code) || isClockOff(answer, now) && answer.status == 403 {
            let difference = answer.header("date").flatMap { UTCTime(header: $0) }.map { abs($0.seconds - now.seconds) }
            return sentence(
                .invalidArgument,
                "this machine's clock differs from the store's\(difference.map { " by \($0) s" } ?? ""), and "
                    + "signatures hold for some minutes only: set the clock (timedatectl set-ntp true)")
        }
        if location.kind == .archive, answer.status == 404 {
            return sentence(.notFound, "there is nothing at that address (404): see whether it is right")
        }
        if Self.bucket.contains(code) || answer.status == 404 && subject == nil {
            return sentence(
                .notFound,
                "there is no \(container) of that name there: see what there is with \(look), and whether "
                    + "\(endpointHint) names the right store")
        }
        if Self.identity.contains(code) {
            return sentence(
                .invalidArgument,
                "the store does not know the key (\(code)), which came from \(origin ?? "nowhere"): "
                    + "put the right one there, or remove it so that the next place is asked")
        }
        if Self.secret.contains(code) {
            return sentence(
                .invalidArgument,
                "the store refuses the signature (\(code)): the secret that came from "
                    + "\(origin ?? "nowhere") does not belong to the key")
        }
        if Self.expired.contains(code) {
            return sentence(
                .invalidArgument, "the credentials from \(origin ?? "nowhere") have expired (\(code)): get new ones")
        }
        if let region = refusal.region, answer.status == 301 || answer.status == 307 || answer.status == 400 {
            return sentence(
                .invalidArgument, "the bucket lies in the region '\(region)': set AWS_REGION=\(region)")
        }
        if answer.status == 301 || answer.status == 302 || answer.status == 307 {
            return sentence(
                .invalidArgument,
                "the store sends elsewhere (\(said)): set AWS_REGION to the bucket's region, or name the "
                    + "store's own address")
        }
        if answer.status == 401 || answer.status == 403 { return denied(said) }
        if answer.status == 404 {
            return sentence(
                .notFound, "'\(subject ?? "")' has gone since it was listed: the next look finds what there is")
        }
        if answer.status == 412 {
            return sentence(.unavailable, "'\(subject ?? "")' has changed while it was copied: the next look takes it")
        }
        if answer.status >= 500 || answer.status == 429 {
            return sentence(.unavailable, "the store is busy or out of order, after several tries: \(said)")
        }
        return sentence(.internal, "the store refuses: \(code.isEmpty ? "" : code + ": ")\(said)")
    }

    private static let clock: Set<String> = ["RequestTimeTooSkewed", "RequestExpired"]
    private static let bucket: Set<String> = ["NoSuchBucket", "ContainerNotFound", "InvalidBucketName"]
    private static let identity: Set<String> = [
        "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException",
    ]
    private static let secret: Set<String> = ["SignatureDoesNotMatch", "AuthenticationFailed"]
    private static let expired: Set<String> = ["ExpiredToken", "TokenRefreshRequired", "ExpiredTokenException"]

    private func isClockOff(_ answer: StoreAnswer, _ now: UTCTime) -> Bool {
        guard let theirs = answer.header("date").flatMap({ UTCTime(header: $0) }) else { return false }
        return abs(theirs.seconds - now.seconds) > 900
    }

    private func denied(_ said: String) -> HalcyonError {
        guard let origin else {
            return sentence(
                .invalidArgument,
                "the store lets nobody in without credentials (\(said)), and none were found: looked for "
                    + searched)
        }
        let rights =
            switch location.kind {
            case .s3: "s3:ListBucket for the bucket and s3:GetObject for what is in it"
            case .googleCloud: "the role Storage Object Viewer"
            case .azure: "the role Storage Blob Data Reader, or a signature that may read and list"
            case .archive: "the right to read it"
            }
        return sentence(
            .invalidArgument,
            "the store refuses access (\(said)): give whom the credentials from \(origin) belong to "
                + rights)
    }

    /// Where nothing is found under a prefix.
    func nothing() -> HalcyonError {
        sentence(
            .notFound,
            "there is nothing under '\(location.keyPrefix)' in the \(container) '\(location.bucket)': see what "
                + "there is with \(look)")
    }

    /// Where the store could not be talked to.
    func unreachable(_ reason: StoreTrouble, _ host: String) -> HalcyonError {
        switch reason {
        case .certificate(let detail):
            return sentence(
                .invalidArgument,
                "nobody that this machine trusts vouches for the certificate of \(host) (\(detail)): name "
                    + "a file with the certificate of who does in AWS_CA_BUNDLE or SSL_CERT_FILE")
        case .host(let detail):
            return sentence(
                .invalidArgument,
                "the certificate of \(host) is for another name (\(detail)): name the store by the name "
                    + "in its certificate")
        case .noTLS:
            return sentence(
                .invalidArgument, "\(host) does not speak TLS: name it with http:// if that is meant")
        case .name:
            return sentence(
                .unavailable,
                "the host \(host) is not known: see whether its name is right (\(endpointHint)) and "
                    + "whether this machine reaches the network, or copy the models into a folder\(copy) and name that")
        case .connection(let detail):
            return sentence(
                .unavailable,
                "\(host) can't be reached, after several tries (\(detail)): see whether it is right "
                    + "(\(endpointHint)) and whether this machine reaches it, or copy the models into a folder\(copy) "
                    + "and name that")
        case .disk(let error): return error
        case .cancelled:
            return HalcyonError(.cancelled, "copying '\(location.text)' was given up")
        }
    }

    private var container: String { location.kind == .azure ? "container" : "bucket" }

    private var endpointHint: String {
        switch location.kind {
        case .s3: "AWS_ENDPOINT_URL"
        case .googleCloud: "STORAGE_EMULATOR_HOST"
        case .azure: "the account, or AZURE_STORAGE_BLOB_ENDPOINT"
        case .archive: "its address"
        }
    }

    private var look: String {
        switch location.kind {
        case .s3: "'aws s3 ls s3://\(location.bucket)/'"
        case .googleCloud: "'gcloud storage ls gs://\(location.bucket)/'"
        case .azure: "'az storage blob list --account-name \(location.account) -c \(location.bucket)'"
        case .archive: "a browser"
        }
    }

    private var copy: String {
        switch location.kind {
        case .s3: " (aws s3 sync s3://\(location.bucket)/\(location.prefix) models)"
        case .googleCloud: " (gcloud storage rsync -r gs://\(location.bucket)/\(location.prefix) models)"
        case .azure: " (with azcopy sync, for instance)"
        case .archive: ""
        }
    }
}

/// Why a store could not be talked to.
enum StoreTrouble: Error, Hashable, Sendable {
    case certificate(String)
    case host(String)
    case noTLS
    case name
    case connection(String)
    case cancelled
    /// What has come could not be written.
    case disk(HalcyonError)

    /// Whether it may be another in a moment.
    var isPassing: Bool { if case .connection = self { true } else { self == .name } }
}
